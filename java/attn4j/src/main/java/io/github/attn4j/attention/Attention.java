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
 * Each is FLOAT32, BFLOAT16 or FLOAT16, k and v also INT8 with {@link AttentionInputs#scales scales}; arithmetic is
 * FLOAT32, but that an instruction set may multiply BFLOAT16 and INT8 as they are. The innermost stride is 1, others
 * are any, so that a [batch, rows, heads, dim] tensor is passed as {@code transpose(1, 2)} and a packed projection as
 * slices, without a copy. Keys and values may lie in {@link AttentionInputs#pages pages}. kvHeads divides heads. A
 * query that sees no key gives 0; a key that is not seen has no influence, whatever it holds. A {@link Builder#ragged()
 * ragged} attention takes sequences of different lengths end to end.
 *
 * <p>For query i and key j of one batch entry and head, with position i + offset of the query:
 * <ol>
 * <li>score = scale * q_i . k_j, then softcap * tanh(score / softcap) if there is a softcap
 * <li>- slope * |position - j| + bias[b, h, i, j] are added, where there are slopes and a bias
 * <li>key j is seen if it is within the key length, at most at the position (causal), in the window, and not masked
 * <li>weights = softmax over the seen keys, with exp(sink) added to the denominator; dropout
 * </ol>
 *
 * <p>{@code apply} and {@code run} are the simple way; {@link #plan} fixes shapes and strides once, and its runs
 * allocate nothing.
 */
public final class Attention {
    final boolean causal;
    final Alignment alignment;
    final float scale;
    final long windowLeft;
    final long windowRight;
    final float softcap;
    final double dropout;
    final ScoreStage stage;
    final boolean averaged;
    final int threads;
    final boolean ragged;
    final Isa isa;
    private final AtomicReference<AttentionPlan> lastPlan = new AtomicReference<>();

    private Attention(Builder builder) {
        causal = builder.causal;
        alignment = builder.alignment;
        scale = builder.scale;
        windowLeft = builder.windowLeft;
        windowRight = builder.windowRight;
        softcap = builder.softcap;
        dropout = builder.dropout;
        stage = builder.stage;
        averaged = builder.averaged;
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
     * @return [batch, heads, queries, valueDim], contiguous, of the type of q
     * @throws IllegalArgumentException if types, ranks, shapes or strides do not fit; the message has both values
     * @throws IllegalStateException if this attention is ragged, or a tensor's scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor q, Tensor k, Tensor v) {
        return apply(scope, AttentionInputs.of(q, k, v, null));
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
     * @return [totalQueries, heads, valueDim], contiguous, of the type of q
     * @throws IllegalArgumentException if types, ranks, shapes, strides or lengths do not fit
     * @throws IllegalStateException if this attention is not ragged, or a tensor's scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor q, Tensor k, Tensor v, Tensor cuQueries, Tensor cuKeys) {
        Objects.requireNonNull(cuQueries, "cuQueries must not be null");
        return apply(scope, AttentionInputs.of(q, k, v, null).cumulative(cuQueries, cuKeys));
    }

    /**
     * Attends with whatever the inputs have, with a new tensor as result. The plan of the last call is kept.
     *
     * @param scope owns the result
     * @param inputs all but out, which is not looked at
     * @return [batch, heads, queries, valueDim], or ragged [totalQueries, heads, valueDim]; contiguous, of the type of
     *     q
     * @throws IllegalArgumentException if types, ranks, shapes, strides or lengths do not fit
     * @throws IllegalStateException if this attention is ragged and the inputs are not, or the other way round, or a
     *     tensor's scope is closed
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public Tensor apply(TensorScope scope, AttentionInputs inputs) {
        Layout.check(ragged, inputs.isRagged(), inputs.q, inputs.k, inputs.v, inputs);
        long[] sizes = inputs.q.shape().toArray();
        sizes[sizes.length - 1] = inputs.v.size(-1);
        Tensor out = scope.zeros(inputs.q.dtype(), sizes);
        run(inputs, out);
        return out;
    }

    /**
     * Attends with whatever the inputs have, into their out. The plan of the last call is kept.
     *
     * @param inputs the tensors
     * @throws IllegalArgumentException if types, ranks, shapes, strides or lengths do not fit; nothing was written then
     * @throws IllegalStateException if this attention is ragged and the inputs are not, or the other way round, or a
     *     tensor's scope is closed
     * @throws java.util.concurrent.CancellationException if it was cancelled; what was to be written is unspecified
     */
    public void run(AttentionInputs inputs) {
        Layout.check(ragged, inputs.isRagged(), inputs.q, inputs.k, inputs.v, inputs);
        run(inputs, inputs.out);
    }

    /**
     * Plans runs with tensors like these: batch, queries and keys are the most a run may have; heads and dims, types
     * and the strides are the ones each run must have (a run with fewer rows passes slices of tensors of this shape).
     * The tensors are not kept.
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
        return plan(AttentionInputs.of(q, k, v, out));
    }

    /**
     * Plans ragged runs with tensors like these: the total numbers of queries and keys and the number of sequences are
     * the most a run may have. The tensors are not kept.
     *
     * @param q queries [totalQueries, heads, headDim]
     * @param k keys [totalKeys, kvHeads, headDim]
     * @param v values [totalKeys, kvHeads, valueDim]
     * @param out result [totalQueries, heads, valueDim]
     * @param cuQueries INT64 [sequences + 1], possible lengths (zeros are)
     * @param cuKeys INT64 [sequences + 1], likewise
     * @return a plan, to be closed
     * @throws IllegalArgumentException if types, ranks, shapes, strides or cumulative lengths do not fit
     * @throws IllegalStateException if this attention is not ragged
     * @throws UnsupportedOperationException if this machine lacks the instruction set that was asked for
     */
    public AttentionPlan plan(Tensor q, Tensor k, Tensor v, Tensor out, Tensor cuQueries, Tensor cuKeys) {
        Objects.requireNonNull(cuQueries, "cuQueries must not be null");
        return plan(AttentionInputs.of(q, k, v, out).cumulative(cuQueries, cuKeys));
    }

    /**
     * Plans runs with inputs like these: as the other two say, and runs have a bias, a mask and scores exactly if these
     * have, repeated over the same dimensions, with the same strides. All else is of each run.
     *
     * @param inputs tensors, which are not kept
     * @return a plan, to be closed
     * @throws IllegalArgumentException if types, ranks, shapes, strides or cumulative lengths do not fit
     * @throws IllegalStateException if this attention is ragged and the inputs are not, or the other way round
     * @throws UnsupportedOperationException if this machine lacks the instruction set that was asked for
     */
    public AttentionPlan plan(AttentionInputs inputs) {
        return new AttentionPlan(this, inputs, inputs.out);
    }

    private void run(AttentionInputs inputs, Tensor out) {
        AttentionPlan cached = lastPlan.getAndSet(null);
        AttentionPlan plan = cached;
        try {
            if (cached == null || !cached.isFor(inputs, out)) {
                plan = new AttentionPlan(this, inputs, out);
            }
            plan.run(inputs, out);
        } finally {
            keep(plan, cached);
        }
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
        private boolean causal;
        private Alignment alignment = Alignment.BOTTOM_RIGHT;
        private float scale = Float.NaN;
        private long windowLeft = -1;
        private long windowRight = -1;
        private float softcap;
        private double dropout;
        private ScoreStage stage;
        private boolean averaged;
        private int threads;
        private boolean ragged;
        private Isa isa = Isa.DEFAULT;

        private Builder() {}

        /**
         * A query sees no key after its own position i + offset.
         *
         * @return this
         */
        public Builder causal() {
            causal = true;
            return this;
        }

        /**
         * The offset of runs that give none, for {@link #causal()}, windows and slopes: by default the last query
         * stands at the last key.
         *
         * @param corner where queries and keys meet
         * @return this
         */
        public Builder alignment(Alignment corner) {
            alignment = Objects.requireNonNull(corner, "alignment must not be null");
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
         * A query sees only keys near its own position i + offset: from i + offset - left to i + offset + right. With
         * {@link #causal()} both hold.
         *
         * @param left how many before it, at least 0; -1 for all
         * @param right how many after it, at least 0; -1 for all
         * @return this
         */
        public Builder window(long left, long right) {
            if (left < -1 || right < -1) {
                throw new IllegalArgumentException("a window must be at least 0, or -1 for an open side: left=" + left
                    + " right=" + right);
            }
            windowLeft = left;
            windowRight = right;
            return this;
        }

        /**
         * Scores become {@code cap * tanh(score / cap)}.
         *
         * @param cap positive and finite, or 0 (the default) for none
         * @return this
         */
        public Builder softcap(float cap) {
            if (!(cap >= 0 && cap < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("softcap must be at least 0 and finite: softcap=" + cap);
            }
            softcap = cap;
            return this;
        }

        /**
         * Drops weights at random, for training; those that stay are divided by 1 - probability. Each run gives a seed.
         *
         * @param probability at least 0 (the default) and below 1
         * @return this
         */
        public Builder dropout(double probability) {
            if (!(probability >= 0 && probability < 1)) {
                throw new IllegalArgumentException("dropout must be at least 0 and below 1: dropout=" + probability);
            }
            dropout = probability;
            return this;
        }

        /**
         * Runs also write the weights of each head, [batch, heads, queries, keys], after dropout.
         *
         * @return this
         */
        public Builder weights() {
            return scores(ScoreStage.WEIGHTS);
        }

        /**
         * Runs also write the mean of the weights over the heads, [batch, queries, keys], after dropout.
         *
         * @return this
         */
        public Builder averagedWeights() {
            stage = ScoreStage.WEIGHTS;
            averaged = true;
            return this;
        }

        /**
         * Runs also write the scores of each head at a stage, [batch, heads, queries, keys].
         *
         * @param written the stage
         * @return this
         */
        public Builder scores(ScoreStage written) {
            stage = Objects.requireNonNull(written, "stage must not be null");
            averaged = false;
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
