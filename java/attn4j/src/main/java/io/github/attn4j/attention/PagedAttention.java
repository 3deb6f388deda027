// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Attention to sequences of a paged cache, a batch entry each, one after the other. Not thread-safe. It keeps views of
 * the tensors of the last call, so that one with the same tensors allocates nothing.
 */
final class PagedAttention {
    private final PartialAttention partial;
    private final AttentionInputs entry = new AttentionInputs();
    private final EntryViews q = new EntryViews();
    private final EntryViews out = new EntryViews();
    private final EntryViews lse = new EntryViews();
    private final EntryViews offsets = new EntryViews();
    private final EntryViews bias = new EntryViews();
    private final EntryViews mask = new EntryViews();
    private PagedSequence[] sequences = new PagedSequence[4];

    PagedAttention(PartialAttention partial) {
        this.partial = partial;
    }

    /** Attends; IllegalArgumentException if the sequences are not of one cache. */
    void run(AttentionInputs in, List<PagedSequence> list) {
        int count = list.size();
        if (count > sequences.length) {
            sequences = new PagedSequence[2 * count];
        }
        try {
            for (int b = 0; b < count; b++) {
                sequences[b] = list.get(b);
            }
            check(in, count);
            if (count > 0) {
                attend(in, count);
            }
        } finally {
            Arrays.fill(sequences, null);
            entry.clear();
        }
    }

    private void check(AttentionInputs in, int count) {
        PartialAttention.checkInputs(in);
        Check.size(View.of(in.q, "q"), "q", 0, count, "sequences");
        if (in.keyLengths != null) {
            throw new IllegalArgumentException("keyLengths must not be given here: the sequences have them");
        }
        if (in.offsets != null) {
            Check.vector(in.offsets, "offsets", View.INT64, count, "sequences");
        }
        for (int b = 0; b < count; b++) {
            if (sequences[b].cache != sequences[0].cache) {
                throw new IllegalArgumentException("sequences must be of one cache: " + sequences[0].name() + " and "
                    + sequences[b].name() + " are not");
            }
        }
    }

    private void attend(AttentionInputs in, int count) {
        PagedKeyValueCache cache = sequences[0].cache;
        cache.lock.readLock().lock();
        try {
            long longest = 0;
            for (int b = 0; b < count; b++) {
                sequences[b].checkOpen();
                PartialAttention.checkKeys(entry(in, b), cache.pool.keys, cache.pool.values);
                longest = Math.max(longest, sequences[b].runs().keys());
            }
            checkScores(in.bias, "bias", count, longest);
            checkScores(in.mask, "mask", count, longest);
            for (int b = 0; b < count; b++) {
                PagedRuns runs = sequences[b].runs();
                partial.attend(entry(in, b), runs, 0, runs.keys());
            }
        } finally {
            cache.lock.readLock().unlock();
        }
    }

    /** The inputs of a batch entry. */
    private AttentionInputs entry(AttentionInputs in, int b) {
        entry.operands(q.of(in.q, b), null, null, out.of(in.out, b)).lse(lse.of(in.lse, b));
        entry.offsets(offsets.of(in.offsets, b)).slopes(in.slopes).sinks(in.sinks).cancellation(in.cancellation);
        return entry.bias(scores(bias, in.bias, b)).mask(scores(mask, in.mask, b));
    }

    /** The part of a bias or mask for a batch entry; what is one for all stays so. */
    private static Tensor scores(EntryViews views, Tensor tensor, int b) {
        boolean each = tensor != null && tensor.rank() == 4 && tensor.size(0) > b && tensor.size(0) != 1;
        return each ? views.of(tensor, b) : tensor;
    }

    private static void checkScores(Tensor tensor, String name, long sequences, long longest) {
        PartialAttention.checkBroadcast(tensor, name, longest);
        if (tensor != null && tensor.rank() == 4 && tensor.size(0) != 1 && tensor.size(0) != sequences) {
            throw new IllegalArgumentException(name + " must have 1 or all sequences in its first dimension: " + name
                + ".shape=" + tensor.shape() + " sequences=" + sequences);
        }
    }
}
