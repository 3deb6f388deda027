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
    private final Layout layout;
    private final NativePlan plan;

    AttentionPlan(Attention attention, Layout layout) {
        this.layout = layout;
        plan = NativePlan.create(layout.batch, layout.heads, layout.kvHeads, layout.queries, layout.keys,
            layout.headDim, layout.valueDim);
        for (Operand operand : Operand.values()) {
            long[] strides = layout.strides[operand.ordinal()];
            plan.strides(operand, strides[0], strides[1], strides[2]);
        }
        if (!Float.isNaN(attention.scale)) {
            plan.scale(attention.scale);
        }
        if (attention.causal != null) {
            plan.causal(attention.causal == Alignment.TOP_LEFT);
        }
        if (layout.ragged) {
            plan.ragged();
        }
        plan.build(attention.isa, attention.threads);
    }

    /**
     * The instruction set that runs use: scalar, avx2, avx512 or neon.
     *
     * @return its name
     * @throws IllegalStateException if the plan is closed
     */
    public String isa() {
        return plan.isa().label();
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
        Layout.check(layout.ragged, false, q, k, v);
        View query = View.of(q, "q");
        View key = View.of(k, "k");
        View value = View.of(v, "v");
        View result = Layout.result(false, query, value, out);
        layout.checkRun(query, key, value, result);
        long batch = query.size(0);
        View log = null;
        if (lse != null) {
            log = lse(lse, 3, query, key, value, result);
            Check.size(log, "lse", 0, batch, "batch");
            Check.size(log, "lse", 1, layout.heads, "heads");
            Check.size(log, "lse", 2, query.size(2), "queries");
        }
        plan.run(batch, query.size(2), key.size(2), query, key, value, result, log,
            integers(keyLengths, "keyLengths", batch, result, log), integers(offsets, "offsets", batch, result, log));
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
        Layout.check(layout.ragged, true, q, k, v);
        View query = View.of(q, "q");
        View key = View.of(k, "k");
        View value = View.of(v, "v");
        View result = Layout.result(true, query, value, out);
        layout.checkRun(query, key, value, result);
        long sequences = Layout.sequences(cuQueries, cuKeys);
        layout.atMost(sequences, layout.batch, "sequences");
        View log = null;
        if (lse != null) {
            log = lse(lse, 2, query, key, value, result);
            Check.size(log, "lse", 0, layout.heads, "heads");
        }
        plan.runRagged(query, key, value, result, log, integers(offsets, "offsets", sequences, result, log),
            integers(cuQueries, "cuQueries", sequences + 1, result, log),
            integers(cuKeys, "cuKeys", sequences + 1, result, log));
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

    /** Whether tensors of exactly these shapes and strides were planned for. */
    boolean isFor(Tensor q, Tensor k, Tensor v, Tensor out, Tensor cuQueries, Tensor cuKeys) {
        long sequences = layout.ragged ? Layout.sequences(cuQueries, cuKeys) : 0;
        return layout.isFor(View.of(q, "q"), View.of(k, "k"), View.of(v, "v"), View.of(out, "out"), sequences);
    }

    private static View lse(Tensor lse, int rank, View q, View k, View v, View out) {
        View view = Check.tensor(lse, "lse", View.FLOAT32, rank);
        Check.writable(view, "lse");
        Check.contiguous(view, "lse");
        Check.disjoint(view, "lse", q, "q");
        Check.disjoint(view, "lse", k, "k");
        Check.disjoint(view, "lse", v, "v");
        Check.disjoint(view, "lse", out, "out");
        return view;
    }

    private static View integers(Tensor tensor, String name, long size, View out, View lse) {
        if (tensor == null) {
            return null;
        }
        View view = Check.vector(tensor, name, View.INT64, size, "the number it must have");
        Check.disjoint(out, "out", view, name);
        if (lse != null) {
            Check.disjoint(lse, "lse", view, name);
        }
        return view;
    }
}
