// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/** The pages of a sequence, those with neighbouring numbers as one run. */
final class PagedRuns implements KeyRuns {
    private final PagePool pool;
    private final long length;
    /** First row in the pool and first position of each run. */
    private final long[] rows;
    private final long[] positions;
    private int count;

    /** Of the first `pages` of a table. */
    PagedRuns(PagePool pool, int[] table, int pages, long length) {
        this.pool = pool;
        this.length = length;
        rows = new long[pages];
        positions = new long[pages];
        for (int i = 0; i < pages; i++) {
            if (i == 0 || table[i] != table[i - 1] + 1) {
                rows[count] = table[i] * pool.pageSize;
                positions[count++] = i * pool.pageSize;
            }
        }
    }

    /**
     * Attends to sequences, a batch entry each, one after the other.
     *
     * @throws IllegalArgumentException if they are not of one cache
     */
    static void run(PartialAttention partial, AttentionInputs in, PagedSequence[] sequences) {
        PartialAttention.checkInputs(in);
        Check.size(View.of(in.q, "q"), "q", 0, sequences.length, "sequences");
        if (in.keyLengths != null) {
            throw new IllegalArgumentException("keyLengths must not be given here: the sequences have them");
        }
        if (in.offsets != null) {
            Check.vector(in.offsets, "offsets", View.INT64, sequences.length, "sequences");
        }
        for (PagedSequence sequence : sequences) {
            if (sequence.cache != sequences[0].cache) {
                throw new IllegalArgumentException("sequences must be of one cache: " + sequences[0].name() + " and "
                    + sequence.name() + " are not");
            }
        }
        if (sequences.length > 0) {
            sequences[0].cache.read(() -> attend(partial, in, sequences));
        }
    }

    private static void attend(PartialAttention partial, AttentionInputs in, PagedSequence[] sequences) {
        PagedRuns[] runs = new PagedRuns[sequences.length];
        long longest = 0;
        for (int b = 0; b < runs.length; b++) {
            sequences[b].checkOpen();
            runs[b] = sequences[b].runs();
            PartialAttention.checkKeys(entry(in, b), runs[b].pool.keys, runs[b].pool.values);
            longest = Math.max(longest, runs[b].length);
        }
        checkScores(in.bias, "bias", runs.length, longest);
        checkScores(in.mask, "mask", runs.length, longest);
        for (int b = 0; b < runs.length; b++) {
            AttentionInputs entry = entry(in, b);
            entry.bias = scores(in.bias, b, runs[b].length);
            entry.mask = scores(in.mask, b, runs[b].length);
            partial.run(entry, runs[b], 0, runs[b].length);
        }
    }

    /** The inputs of a batch entry, but for bias and mask. */
    private static AttentionInputs entry(AttentionInputs in, int b) {
        AttentionInputs entry = AttentionInputs.of(entry(in.q, b), null, null, entry(in.out, b));
        entry.lse = in.lse == null ? null : entry(in.lse, b);
        entry.offsets = in.offsets == null ? null : entry(in.offsets, b);
        entry.slopes = in.slopes;
        entry.sinks = in.sinks;
        entry.cancellation = in.cancellation;
        return entry;
    }

    private static Tensor entry(Tensor tensor, int b) {
        return tensor.slice(0, b, b + 1);
    }

    /** The part of a bias or mask for a sequence; what is one for all stays so. */
    private static Tensor scores(Tensor tensor, int b, long length) {
        if (tensor == null) {
            return null;
        }
        Tensor entry = tensor.rank() == 4 && tensor.size(0) != 1 ? entry(tensor, b) : tensor;
        return entry.size(-1) == 1 ? entry : entry.slice(-1, 0, length);
    }

    private static void checkScores(Tensor tensor, String name, long sequences, long longest) {
        PartialAttention.checkBroadcast(tensor, name, longest);
        if (tensor != null && tensor.rank() == 4 && tensor.size(0) != 1 && tensor.size(0) != sequences) {
            throw new IllegalArgumentException(name + " must have 1 or all sequences in its first dimension: " + name
                + ".shape=" + tensor.shape() + " sequences=" + sequences);
        }
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public Tensor k(int run) {
        return pool.keys;
    }

    @Override
    public Tensor v(int run) {
        return pool.values;
    }

    @Override
    public long first(int run) {
        return rows[run];
    }

    @Override
    public long length(int run) {
        return (run + 1 < count ? positions[run + 1] : length) - positions[run];
    }

    @Override
    public long position(int run) {
        return positions[run];
    }
}
