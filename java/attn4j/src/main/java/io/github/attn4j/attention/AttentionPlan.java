// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.NativePlan;
import io.github.attn4j.internal.NativePlan.Operand;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * Attention with shapes and strides fixed: made by {@link Attention#plan}, run many times. Thread-safe; runs may
 * overlap in time. A run is one native call and allocates nothing once each thread has made one. A forgotten plan is
 * freed some time after it is unreachable.
 */
public final class AttentionPlan implements AutoCloseable {
    /** Of the runs that take nothing further; never written. */
    private static final AttentionInputs NOTHING = new AttentionInputs();

    private final Layout layout;
    private final KeyLayout keyLayout;
    private final ScoreLayout bias;
    private final ScoreLayout mask;
    private final ScoreLayout scores;
    private final NativePlan plan;

    AttentionPlan(Attention attention, AttentionInputs inputs, Tensor out) {
        layout = Layout.of(attention.ragged, inputs, out);
        keyLayout = new KeyLayout(inputs);
        boolean part = inputs.keys >= 0;
        bias = ScoreLayout.bias(inputs.bias, layout, part);
        mask = ScoreLayout.mask(inputs.mask, layout, part);
        if ((attention.stage == null) != (inputs.scores == null)) {
            throw new IllegalArgumentException("scores must be given exactly where the attention was built to write "
                + "them: scores=" + inputs.scores + " stage=" + attention.stage);
        }
        scores = inputs.scores == null ? null : ScoreLayout.scores(inputs.scores, attention.averaged, layout);
        long queries = ScoreLayout.queries(bias,
            ScoreLayout.queries(mask, ScoreLayout.queries(scores, layout.queries)));
        long keys = ScoreLayout.keys(bias, ScoreLayout.keys(mask, ScoreLayout.keys(scores, layout.keys)));
        plan = NativePlan.create(layout.batch, layout.heads, layout.kvHeads, queries, keys, layout.headDim,
            layout.valueDim);
        keyLayout.set(plan);
        for (Operand operand : Operand.values()) {
            long[] strides = layout.strides[operand.ordinal()];
            plan.strides(operand, strides[0], strides[1], strides[2]);
            plan.type(operand, layout.types[operand.ordinal()]);
        }
        set(attention);
        if (layout.ragged) {
            plan.ragged();
        }
        if (bias != null) {
            plan.bias(bias.strides);
        }
        if (mask != null) {
            plan.mask(mask.strides);
        }
        if (scores != null) {
            plan.stage(attention.stage.ordinal(), attention.averaged, scores.strides);
        }
        plan.build(attention.isa, attention.threads);
    }

    private void set(Attention attention) {
        if (!Float.isNaN(attention.scale)) {
            plan.scale(attention.scale);
        }
        if (attention.causal) {
            plan.causal();
        }
        if (attention.alignment == Alignment.TOP_LEFT) {
            plan.topLeft();
        }
        plan.window(attention.windowLeft, attention.windowRight);
        plan.softcap(attention.softcap);
        plan.dropout(attention.dropout);
    }

    /**
     * The instruction set that runs use: scalar, avx2, avx512, avx512bf16, amx, neon or neonbf16.
     *
     * @return its name
     * @throws IllegalStateException if the plan is closed
     */
    public String isa() {
        return plan.isa().label();
    }

    /**
     * One line on how runs of the largest size go, and why so: kernel, instruction set, tile sizes, tasks, threads,
     * workspace.
     *
     * @return for people to read; the form may change
     * @throws IllegalStateException if the plan is closed
     */
    public String explain() {
        return plan.explain();
    }

    /**
     * Runs with every key of each batch entry visible (up to the causal mask).
     *
     * @param q queries [batch, heads, queries, headDim]
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @param out result [batch, heads, queries, valueDim]; shares no element with the others
     * @throws IllegalArgumentException if a tensor does not fit the plan; nothing was written then
     * @throws IllegalStateException if the plan or a scope is closed, or the plan is ragged
     */
    public void run(Tensor q, Tensor k, Tensor v, Tensor out) {
        run(q, k, v, out, null, null, null);
    }

    /**
     * Runs with lengths and offsets of this time.
     *
     * @param q queries [batch, heads, queries, headDim]
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @param out result [batch, heads, queries, valueDim]; shares no element with the others
     * @param lse null, or the natural logarithm of the softmax denominators, contiguous FLOAT32 [batch, heads, queries]
     * @param keyLengths null, or INT64 [batch]: how many of the keys are there
     * @param offsets null for the alignment of the attention, or INT64 [batch]: causal query i sees keys up to i +
     *     offset
     * @throws IllegalArgumentException if a tensor does not fit the plan; nothing was written then
     * @throws IllegalStateException if the plan or a scope is closed, or the plan is ragged
     */
    public void run(Tensor q, Tensor k, Tensor v, Tensor out, Tensor lse, Tensor keyLengths, Tensor offsets) {
        execute(false, q, k, v, out, lse, keyLengths, offsets, null, null, NOTHING);
    }

    /**
     * Runs with whatever the inputs have.
     *
     * @param inputs bias, mask and scores exactly where the plan has them
     * @throws IllegalArgumentException if a tensor or a length does not fit; nothing was written then
     * @throws IllegalStateException if the plan or a scope is closed, or the plan is ragged and the inputs are not, or
     *     the other way round
     * @throws java.util.concurrent.CancellationException if it was cancelled; what was to be written is unspecified
     */
    public void run(AttentionInputs inputs) {
        run(inputs, inputs.out);
    }

    void run(AttentionInputs in, Tensor out) {
        execute(in.isRagged(), in.q, in.k, in.v, out, in.lse, in.keyLengths, in.offsets, in.cuQueries, in.cuKeys, in);
    }

    /**
     * Runs over sequences that lie end to end.
     *
     * @param q queries [totalQueries, heads, headDim]
     * @param k keys [totalKeys, kvHeads, headDim]
     * @param v values [totalKeys, kvHeads, valueDim]
     * @param out result [totalQueries, heads, valueDim]; shares no element with the others
     * @param cuQueries INT64 [sequences + 1]: sequence b has the queries cuQueries[b] to cuQueries[b + 1] - 1
     * @param cuKeys INT64 [sequences + 1], likewise for the keys
     * @throws IllegalArgumentException if a tensor or a length does not fit; nothing was written then
     * @throws IllegalStateException if the plan or a scope is closed, or the plan is not ragged
     */
    public void run(Tensor q, Tensor k, Tensor v, Tensor out, Tensor cuQueries, Tensor cuKeys) {
        run(q, k, v, out, cuQueries, cuKeys, null, null);
    }

    /**
     * Runs over sequences that lie end to end.
     *
     * @param q queries [totalQueries, heads, headDim]
     * @param k keys [totalKeys, kvHeads, headDim]
     * @param v values [totalKeys, kvHeads, valueDim]
     * @param out result [totalQueries, heads, valueDim]; shares no element with the others
     * @param cuQueries INT64 [sequences + 1]: sequence b has the queries cuQueries[b] to cuQueries[b + 1] - 1
     * @param cuKeys INT64 [sequences + 1], likewise for the keys
     * @param lse null, or the natural logarithm of the softmax denominators, contiguous FLOAT32 [heads,
     *     cuQueries[sequences]]
     * @param offsets null for the alignment of the attention, or INT64 [sequences]
     * @throws IllegalArgumentException if a tensor or a length does not fit; nothing was written then
     * @throws IllegalStateException if the plan or a scope is closed, or the plan is not ragged
     */
    public void run(Tensor q, Tensor k, Tensor v, Tensor out, Tensor cuQueries, Tensor cuKeys, Tensor lse,
                    Tensor offsets) {
        execute(true, q, k, v, out, lse, null, offsets, cuQueries, cuKeys, NOTHING);
    }

    /**
     * Frees the plan. Does nothing the second time.
     *
     * @throws IllegalStateException while a run is under way
     */
    @Override
    public void close() {
        plan.close();
    }

    /** Whether tensors of exactly these shapes, types and strides were planned for; q, k and v fit each other. */
    boolean isFor(AttentionInputs in, Tensor out) {
        long sequences = layout.ragged ? Layout.sequences(in.cuQueries, in.cuKeys) : 0;
        View v = View.of(in.v, "v");
        View q = View.of(in.q, "q");
        View k = View.of(in.k, "k");
        return layout.isFor(q, k, v, Layout.result(layout.ragged, q, v, out), sequences, keyLayout.paged)
            && keyLayout.isFor(in, k) && ScoreLayout.isFor(bias, in.bias) && ScoreLayout.isFor(mask, in.mask)
            && ScoreLayout.isFor(scores, in.scores);
    }

    /** What the operands do not say comes from `more`. */
    private void execute(boolean ragged, Tensor q, Tensor k, Tensor v, Tensor out, Tensor lse, Tensor keyLengths,
                         Tensor offsets, Tensor cuQueries, Tensor cuKeys, AttentionInputs more) {
        Layout.check(layout.ragged, ragged, q, k, v, more);
        View query = View.of(q, "q");
        View key = View.of(k, "k");
        View value = View.of(v, "v");
        View result = Layout.result(ragged, query, value, out);
        long keys = keyLayout.checkRun(more, key);
        layout.checkRun(query, key, value, result, keys);
        long batch = ragged ? Layout.sequences(cuQueries, cuKeys) : query.size(0);
        if (ragged) {
            layout.atMost(batch, layout.batch, "sequences");
        }
        if (ragged && keyLengths != null) {
            throw new IllegalArgumentException("a ragged run takes key lengths from cuKeys: keyLengths=" + keyLengths
                + " cuKeys=" + cuKeys);
        }
        long queries = ragged ? 0 : query.size(2);
        View log = lse == null ? null : lse(lse, batch, queries);
        View stage = ScoreLayout.check(scores, "scores", more.scores, ragged, batch, layout.heads, queries, keys);
        apart(query, "q", null, log, stage);
        apart(key, "k", null, log, stage);
        apart(value, "v", null, log, stage);
        if (log != null) {
            Check.disjoint(log, "lse", result, "out");
        }
        apart(log, "lse", null, null, stage);
        apart(result, "out", null, null, stage);
        View added = ScoreLayout.check(bias, "bias", more.bias, ragged, batch, layout.heads, queries, keys);
        apart(added, "bias", result, log, stage);
        View kept = ScoreLayout.check(mask, "mask", more.mask, ragged, batch, layout.heads, queries, keys);
        apart(kept, "mask", result, log, stage);
        plan.run(batch, queries, keys, more.firstKey, more.firstScore, query, key, value, result, log,
            vector(keyLengths, "keyLengths", View.INT64, batch, "batch", result, log, stage),
            vector(offsets, "offsets", View.INT64, batch, "batch", result, log, stage),
            vector(cuQueries, "cuQueries", View.INT64, batch + 1, "sequences + 1", result, log, stage),
            vector(cuKeys, "cuKeys", View.INT64, batch + 1, "sequences + 1", result, log, stage),
            read(more.pages, "pages", result, log, stage), read(more.kScales, "kScales", result, log, stage),
            read(more.vScales, "vScales", result, log, stage), added, kept,
            vector(more.slopes, "slopes", View.FLOAT32, layout.heads, "heads", result, log, stage),
            vector(more.sinks, "sinks", View.FLOAT32, layout.heads, "heads", result, log, stage), stage, more.seed,
            more.cancellation == null ? null : more.cancellation.view());
    }

    /** [batch, heads, queries], or ragged [heads, total queries], the latter checked with the lengths. */
    private View lse(Tensor lse, long batch, long queries) {
        View view = Check.tensor(lse, "lse", View.FLOAT32, layout.ragged ? 2 : 3);
        Check.writable(view, "lse");
        Check.contiguous(view, "lse");
        if (layout.ragged) {
            Check.size(view, "lse", 0, layout.heads, "heads");
        } else {
            Check.size(view, "lse", 0, batch, "batch");
            Check.size(view, "lse", 1, layout.heads, "heads");
            Check.size(view, "lse", 2, queries, "queries");
        }
        return view;
    }

    private static View vector(Tensor tensor, String name, int type, long size, String sizeName, View out, View lse,
                               View scores) {
        if (tensor == null) {
            return null;
        }
        Check.vector(tensor, name, type, size, sizeName);
        return read(tensor, name, out, lse, scores);
    }

    private static View read(Tensor tensor, String name, View out, View lse, View scores) {
        View view = tensor == null ? null : View.of(tensor, name);
        apart(view, name, out, lse, scores);
        return view;
    }

    /** What is written shares no element with what is read; null for what is not there or was compared before. */
    private static void apart(View read, String name, View out, View lse, View scores) {
        if (read == null) {
            return;
        }
        if (out != null) {
            Check.disjoint(out, "out", read, name);
        }
        if (lse != null) {
            Check.disjoint(lse, "lse", read, name);
        }
        if (scores != null) {
            Check.disjoint(scores, "scores", read, name);
        }
    }
}
