// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Memory;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;

/**
 * Attention to sequences of a paged cache, a batch entry or a ragged sequence each, in one run that reads the pages
 * where they lie. Not thread-safe. Native memory is allocated only for more sequences or longer ones than before.
 */
final class PagedAttention {
    private final PlanCache plans;
    private final boolean ragged;
    private final AttentionInputs all = new AttentionInputs();
    private TensorScope scope = TensorScope.open();
    /** The pages of each sequence, and its tokens, ragged those up to it; room for more of both. */
    private Tensor tables = scope.zeros(DType.INT64, 0, 0);
    private Tensor lengths = scope.zeros(DType.INT64, 0);
    /** The part for as many sequences as there were last time. */
    private Tensor table = tables;
    private Tensor tokens = lengths;
    private long[] counts = new long[0];
    private final ListedSequences sequences = new ListedSequences();

    PagedAttention(Attention attention) {
        plans = new PlanCache(attention);
        ragged = attention.ragged;
    }

    /** Attends; IllegalArgumentException if the sequences are not of one cache. */
    void run(AttentionInputs in, List<PagedSequence> list) {
        try {
            sequences.begin(list);
            check(in);
            if (sequences.count() > 0) {
                attend(in);
            }
        } finally {
            sequences.clear();
            all.clear();
            plans.trim();
        }
    }

    /** Frees plans and memory. */
    void close() {
        plans.close();
        scope.close();
    }

    private void check(AttentionInputs in) {
        if (ragged) {
            checkRagged(in);
        } else {
            PartialAttention.checkInputs(in);
            Check.size(View.of(in.q, "q"), "q", 0, sequences.count(), "sequences");
        }
        PartialAttention.absent(in.keyLengths, "keyLengths", "the sequences have them");
        for (int b = 0; b < sequences.count(); b++) {
            if (sequences.get(b).cache() != sequences.get(0).cache()) {
                throw new IllegalArgumentException("sequences must be of one cache: " + sequences.get(0).name()
                    + " and " + sequences.get(b).name() + " are not");
            }
        }
    }

    /** Of cumulative lengths those of the queries alone; all else is checked by the plan. */
    private void checkRagged(AttentionInputs in) {
        PartialAttention.checkAbsent(in);
        if (in.cuQueries == null) {
            throw new IllegalStateException("this attention is ragged: pass cuQueries");
        }
        PartialAttention.absent(in.cuKeys, "cuKeys", "the sequences have them");
        Check.vector(in.cuQueries, "cuQueries", View.INT64, sequences.count() + 1L, "sequences + 1");
    }

    private void attend(AttentionInputs in) {
        PagedKeyValueCache cache = sequences.get(0).cache();
        cache.lock.readLock().lock();
        try {
            long longest = 0;
            int pages = 1;
            for (int b = 0; b < sequences.count(); b++) {
                PagedSequence sequence = sequences.get(b);
                sequence.checkOpen();
                longest = Math.max(longest, sequence.tokens());
                pages = Math.max(pages, sequence.tablePages());
            }
            PartialAttention.checkBroadcast(in.bias, "bias", longest);
            PartialAttention.checkBroadcast(in.mask, "mask", longest);
            list(pages);
            KeyValues rows = cache.pool.rows;
            all.operands(in.q, rows.k(), rows.v(), in.out).scales(rows.kScales(), rows.vScales()).pages(table);
            all.cumulative(in.cuQueries, ragged ? tokens : null).keyLengths(ragged ? null : tokens);
            all.lse(in.lse).offsets(in.offsets).bias(in.bias).mask(in.mask);
            all.slopes(in.slopes).sinks(in.sinks).cancellation(in.cancellation).keys(longest, 0, 0);
            plans.plan(all).run(all);
        } finally {
            cache.lock.readLock().unlock();
        }
    }

    /** Writes down the pages and lengths of the sequences. */
    private void list(int pages) {
        fit(sequences.count(), pages);
        View rows = View.of(table, "pages");
        for (int b = 0; b < sequences.count(); b++) {
            PagedSequence sequence = sequences.get(b);
            Memory.fromArray(sequence.table(), sequence.tablePages(), rows, b * table.size(1));
            if (ragged) {
                counts[b + 1] = counts[b] + sequence.tokens();
            } else {
                counts[b] = sequence.tokens();
            }
        }
        Memory.fromArray(counts, View.of(tokens, "tokens"));
    }

    private void fit(int count, int pages) {
        if (tables.size(0) < count || tables.size(1) < pages) {
            long most = Math.max(tables.size(0), count);
            long columns = tables.size(1) < pages ? 2L * pages : tables.size(1);
            scope.close();
            scope = TensorScope.open();
            tables = scope.zeros(DType.INT64, most, columns);
            lengths = scope.zeros(DType.INT64, most + 1);
            table = tables;
            tokens = lengths;
        }
        if (table.size(0) != count) {
            table = tables.slice(0, 0, count);
        }
        int numbers = ragged ? count + 1 : count;
        if (tokens.size(0) != numbers) {
            tokens = lengths.slice(0, 0, numbers);
        }
        if (counts.length != numbers) {
            counts = new long[numbers];
        }
    }
}
