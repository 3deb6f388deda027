// SPDX-License-Identifier: Apache-2.0
// One run of a plan for each run of keys that a query may see, then a merge. What is written is written by the last
// call, so that a failure before it leaves the result as it was.
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;

/** Attention over keys that lie in several places. Not thread-safe: it holds the memory of the partial results. */
final class PartialAttention {
    private static final int WIDTH = 3;

    private final Attention attention;
    private final PlanCache plans;
    private final Partials partials;
    private final PerBatch perBatch = new PerBatch();
    private final AttentionInputs part = new AttentionInputs();
    private int[] seen = new int[4];

    PartialAttention(Attention attention) {
        this.attention = attention;
        plans = new PlanCache(attention);
        partials = new Partials(attention);
    }

    /**
     * Attends. The inputs have no k, v, cumulative lengths or scores; bias and mask count keys from `begin`.
     *
     * @param begin the position of the first key that is there
     * @param end one past the last
     */
    void run(AttentionInputs in, KeyRuns runs, long begin, long end) {
        check(in, runs, end - begin);
        perBatch.begin(in, attention.alignment == Alignment.TOP_LEFT, begin, end);
        if (attention.windowLeft >= 0) {
            Check.kept(perBatch.oldest(attention), begin);
        }
        int count = 0;
        for (int run = 0; run < runs.count(); run++) {
            if (perBatch.sees(attention, in.q.size(2), begin, runs.position(run), runs.length(run))) {
                seen = count < seen.length ? seen : Arrays.copyOf(seen, 2 * count);
                seen[count++] = run;
            }
        }
        try {
            part.q = in.q;
            part.slopes = in.slopes;
            part.cancellation = in.cancellation;
            if (count == 1) {
                part.out = in.out;
                part.lse = in.lse;
                part.sinks = in.sinks;
                run(in, runs, seen[0], begin);
                return;
            }
            partials.begin(in.out, count);
            for (int i = 0; i < count; i++) {
                partials.next(part);
                run(in, runs, seen[i], begin);
            }
            partials.finish(in.sinks, in.out, in.lse);
        } finally {
            part.clear();
            plans.trim();
        }
    }

    /** Frees plans and memory. */
    void close() {
        plans.close();
        partials.close();
        perBatch.close();
    }

    private void run(AttentionInputs in, KeyRuns runs, int run, long begin) {
        long length = runs.length(run);
        long position = runs.position(run);
        KeyValues rows = runs.rows(run);
        part.k = rows.k();
        part.v = rows.v();
        part.scales(rows.kScales(), rows.vScales());
        part.bias = in.bias;
        part.mask = in.mask;
        part.keys(length, runs.first(run), position - begin);
        perBatch.of(part, begin, position, length);
        plans.plan(part).run(part);
    }

    private static void check(AttentionInputs in, KeyRuns runs, long keys) {
        checkInputs(in);
        checkBroadcast(in.bias, "bias", keys);
        checkBroadcast(in.mask, "mask", keys);
        for (int run = 0; run < runs.count(); run++) {
            checkKeys(in, runs.rows(run));
        }
    }

    /** The rules for keys and values, of which a run is a part. */
    private static void checkKeys(AttentionInputs in, KeyValues rows) {
        Tensor v = rows.v();
        View out = View.of(in.out, "out");
        View lse = in.lse == null ? null : View.of(in.lse, "lse");
        Layout.checkOperands(false, false, false, in.q, rows.k(), v);
        KeyLayout.checkScales(rows.k(), "k", rows.kScales(), "kScales");
        KeyLayout.checkScales(v, "v", rows.vScales(), "vScales");
        Check.size(out, "out", WIDTH, v.size(WIDTH), "valueDim");
        apart(rows.k(), "k", out, lse);
        apart(v, "v", out, lse);
        apart(rows.kScales(), "kScales", out, lse);
        apart(rows.vScales(), "vScales", out, lse);
    }

    /** What the keys have themselves is not given beside them. */
    static void checkAbsent(AttentionInputs in) {
        absent(in.k, "k", "the segments have them");
        absent(in.v, "v", "the segments have them");
        absent(in.kScales, "kScales", "what is attended to has them");
        absent(in.vScales, "vScales", "what is attended to has them");
        absent(in.pages, "pages", "what is attended to has them");
        absent(in.scores, "scores", "no segment has them all");
    }

    /** The rules that do not depend on the keys. */
    static void checkInputs(AttentionInputs in) {
        checkAbsent(in);
        absent(in.cuQueries, "cuQueries", "this attention is not ragged");
        absent(in.cuKeys, "cuKeys", "this attention is not ragged");
        View q = Check.floatRows(in.q, "q", 4);
        View out = Check.floatRows(in.out, "out", 4);
        Check.writable(out, "out");
        Check.size(out, "out", 0, q.size(0), "batch");
        Check.size(out, "out", 1, q.size(1), "heads");
        Check.size(out, "out", 2, q.size(2), "queries");
        Check.atLeast(1, q.size(1), "heads");
        Check.atLeast(1, out.size(WIDTH), "valueDim");
        Check.disjoint(out, "out", q, "q");
        View lse = in.lse == null ? null : lse(in.lse, q, out);
        apart(in.bias, "bias", out, lse);
        apart(in.mask, "mask", out, lse);
        apart(in.slopes, "slopes", out, lse);
        apart(in.keyLengths, "keyLengths", out, lse);
        apart(in.offsets, "offsets", out, lse);
        apart(in.sinks, "sinks", out, lse);
        if (in.sinks != null) {
            Check.vector(in.sinks, "sinks", View.FLOAT32, q.size(1), "heads");
        }
    }

    private static View lse(Tensor tensor, View q, View out) {
        View lse = Check.tensor(tensor, "lse", View.FLOAT32, 3);
        Check.writable(lse, "lse");
        Check.contiguous(lse, "lse");
        Check.size(lse, "lse", 0, q.size(0), "batch");
        Check.size(lse, "lse", 1, q.size(1), "heads");
        Check.size(lse, "lse", 2, q.size(2), "queries");
        Check.disjoint(lse, "lse", q, "q");
        Check.disjoint(lse, "lse", out, "out");
        return lse;
    }

    private static void apart(Tensor read, String name, View out, View lse) {
        if (read != null) {
            Check.disjoint(out, "out", View.of(read, name), name);
            if (lse != null) {
                Check.disjoint(lse, "lse", View.of(read, name), name);
            }
        }
    }

    /** A bias or mask is for so many keys, or one for all. */
    static void checkBroadcast(Tensor tensor, String name, long keys) {
        if (tensor != null && (tensor.rank() == 0 || tensor.size(-1) != 1 && tensor.size(-1) != keys)) {
            throw new IllegalArgumentException(name + " must have 1 or all keys in its last dimension: " + name
                + ".shape=" + tensor.shape() + " keys=" + keys);
        }
    }

    static void absent(Tensor tensor, String name, String reason) {
        if (tensor != null) {
            throw new IllegalArgumentException(name + " must not be given here, " + reason + ": " + name + "=" + tensor
                + " expected=null");
        }
    }
}
