// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Fused multi-head attention: {@code out = softmax(scale * q k^T) v} for each head, without ever storing the scores.
 * Immutable and thread-safe.
 *
 * <pre>
 *   q   [batch, heads,   queries, headDim]      k [batch, kvHeads, keys, headDim]
 *   out [batch, heads,   queries, valueDim]     v [batch, kvHeads, keys, valueDim]
 * </pre>
 *
 * All are FLOAT32 with innermost stride 1 and otherwise any strides, so that a [batch, rows, heads, dim] tensor is
 * passed as {@code transpose(1, 2)} and a packed projection as slices, without a copy. kvHeads divides heads. A query
 * that sees no key gives 0; a key that is not seen has no influence, whatever it holds. A {@link Builder#ragged()
 * ragged} attention takes sequences of different lengths end to end.
 *
 * <p>{@code apply} is the simple way; {@link #plan} fixes shapes and strides once, and its runs allocate nothing.
 */
public final class Attention {
    final Alignment causal;
    final float scale;
    final int threads;
    final boolean ragged;
    final Isa isa;
    private final AtomicReference<AttentionPlan> lastPlan = new AtomicReference<>();

    private Attention(Builder builder) {
        causal = builder.causal;
        scale = builder.scale;
        threads = builder.threads;
        ragged = builder.ragged;
        isa = builder.isa;
    }

    /** {@return a builder of attention without a mask} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Attends, with a new tensor as result. The plan of the last call is kept, so that a repeated call with the same
     * shapes and strides is cheap.
     *
     * @param scope owns the result
     * @param q queries [batch, heads, queries, headDim]
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @return [batch, heads, queries, valueDim], contiguous
     * @throws IllegalArgumentException if types, ranks, shapes or strides do not fit; the message has both values
     * @throws IllegalStateException if this attention is ragged, or a tensor's scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor q, Tensor k, Tensor v) {
        Layout.check(ragged, false, q, k, v);
        Tensor out = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(2), v.size(3));
        AttentionPlan cached = lastPlan.getAndSet(null);
        AttentionPlan plan = cached != null && cached.isFor(q, k, v, out, null, null) ? cached : plan(q, k, v, out);
        try {
            plan.run(q, k, v, out);
        } finally {
            keep(plan, cached);
        }
        return out;
    }

    /**
     * Attends over sequences that lie end to end, with a new tensor as result. The plan of the last call is kept.
     *
     * @param scope owns the result
     * @param q queries [totalQueries, heads, headDim]
     * @param k keys [totalKeys, kvHeads, headDim]
     * @param v values [totalKeys, kvHeads, valueDim]
     * @param cuQueries INT64 [sequences + 1]: sequence b has the queries cuQueries[b] to cuQueries[b + 1] - 1
     * @param cuKeys INT64 [sequences + 1], likewise for the keys
     * @return [totalQueries, heads, valueDim], contiguous
     * @throws IllegalArgumentException if types, ranks, shapes, strides or lengths do not fit
     * @throws IllegalStateException if this attention is not ragged, or a tensor's scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor q, Tensor k, Tensor v, Tensor cuQueries, Tensor cuKeys) {
        Layout.check(ragged, true, q, k, v);
        Tensor out = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), v.size(2));
        AttentionPlan cached = lastPlan.getAndSet(null);
        AttentionPlan plan = cached != null && cached.isFor(q, k, v, out, cuQueries, cuKeys)
            ? cached : plan(q, k, v, out, cuQueries, cuKeys);
        try {
            plan.run(q, k, v, out, cuQueries, cuKeys);
        } finally {
            keep(plan, cached);
        }
        return out;
    }

    /**
     * Plans runs with tensors like these: batch, queries and keys are the most a run may have; heads and dims and the
     * strides are the ones each run must have (a run with fewer rows passes slices of tensors of this shape). The
     * tensors are not kept.
     *
     * @param q queries [batch, heads, queries, headDim]
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @param out result [batch, heads, queries, valueDim]
     * @return a plan, to be closed
     * @throws IllegalArgumentException if types, ranks, shapes or strides do not fit
     * @throws IllegalStateException if this attention is ragged
     * @throws UnsupportedOperationException if this machine lacks the instruction set that was asked for
     */
    public AttentionPlan plan(Tensor q, Tensor k, Tensor v, Tensor out) {
        return new AttentionPlan(this, Layout.of(ragged, q, k, v, out));
    }

    /**
     * Plans ragged runs with tensors like these: the total numbers of queries and keys and the number of sequences are
     * the most a run may have. The tensors are not kept, and the cumulative lengths not read.
     *
     * @param q queries [totalQueries, heads, headDim]
     * @param k keys [totalKeys, kvHeads, headDim]
     * @param v values [totalKeys, kvHeads, valueDim]
     * @param out result [totalQueries, heads, valueDim]
     * @param cuQueries INT64 [sequences + 1]
     * @param cuKeys INT64 [sequences + 1]
     * @return a plan, to be closed
     * @throws IllegalArgumentException if types, ranks, shapes or strides do not fit
     * @throws IllegalStateException if this attention is not ragged
     * @throws UnsupportedOperationException if this machine lacks the instruction set that was asked for
     */
    public AttentionPlan plan(Tensor q, Tensor k, Tensor v, Tensor out, Tensor cuQueries, Tensor cuKeys) {
        return new AttentionPlan(this, Layout.ofRagged(ragged, q, k, v, out, cuQueries, cuKeys));
    }

    /** Puts the plan into the cache for the next call and closes the one that falls out. */
    private void keep(AttentionPlan plan, AttentionPlan cached) {
        if (cached != null && cached != plan) {
            cached.close();
        }
        AttentionPlan replaced = lastPlan.getAndSet(plan);
        if (replaced != null) {
            replaced.close();
        }
    }

    /** Options of an attention; each has a default. */
    public static final class Builder {
        private Alignment causal;
        private float scale = Float.NaN;
        private int threads;
        private boolean ragged;
        private Isa isa = Isa.DEFAULT;

        private Builder() {}

        /**
         * A query sees no later key; the last query sees the last key.
         *
         * @return this
         */
        public Builder causal() {
            return causal(Alignment.BOTTOM_RIGHT);
        }

        /**
         * A query sees no later key.
         *
         * @param alignment where query 0 stands among the keys
         * @return this
         */
        public Builder causal(Alignment alignment) {
            causal = Objects.requireNonNull(alignment, "alignment must not be null");
            return this;
        }

        /**
         * The factor of the scores, 1 / sqrt(headDim) by default.
         *
         * @param factor finite
         * @return this
         */
        public Builder scale(float factor) {
            if (!Float.isFinite(factor)) {
                throw new IllegalArgumentException("scale must be finite: scale=" + factor);
            }
            scale = factor;
            return this;
        }

        /**
         * The most threads that work on a run, 0 (the default) for all of the pool; 1 never leaves the calling thread.
         *
         * @param limit at least 0
         * @return this
         */
        public Builder threads(int limit) {
            threads = Check.threads(limit);
            return this;
        }

        /**
         * Sequences of different lengths lie end to end: q [totalQueries, heads, headDim], and cumulative lengths say
         * where each begins. No work is done on padding, as there is none.
         *
         * @return this
         */
        public Builder ragged() {
            ragged = true;
            return this;
        }

        /** Forces an instruction set, so that a test can run all of them in one JVM. */
        Builder isa(Isa forced) {
            isa = forced;
            return this;
        }

        /** {@return the attention} */
        public Attention build() {
            return new Attention(this);
        }
    }
}
