// SPDX-License-Identifier: Apache-2.0
// The operator is described at https://onnx.ai/onnx/operators/onnx__Attention.html
package io.github.attn4j.onnx;

import io.github.attn4j.attention.Alignment;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.ScoreStage;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;
import java.util.Objects;

/**
 * ONNX's Attention, opset 23 to 25. Immutable and thread-safe.
 *
 * <p>Scores and softmax are FLOAT32 whatever the types of the operands. A query that sees no key gives 0.
 */
public final class OnnxAttention {
    private static final int QUERIES = 2;

    final Attention attention;
    private final long qNumHeads;
    private final long kvNumHeads;
    private final boolean scores;

    private OnnxAttention(Builder builder) {
        attention = builder.attention.build();
        qNumHeads = builder.qNumHeads;
        kvNumHeads = builder.kvNumHeads;
        scores = builder.scores;
    }

    /** {@return a builder with the default attributes} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The three inputs that are always there; others are added to them.
     *
     * @param q [batch, q_num_heads, q_sequence, head_size] or [batch, q_sequence, q_num_heads * head_size]; FLOAT32,
     *     BFLOAT16 or FLOAT16
     * @param k [batch, kv_num_heads, kv_sequence, head_size] or [batch, kv_sequence, kv_num_heads * head_size]
     * @param v [batch, kv_num_heads, kv_sequence, v_head_size] or [batch, kv_sequence, kv_num_heads * v_head_size]
     * @return the inputs
     */
    public static Inputs inputs(Tensor q, Tensor k, Tensor v) {
        return new Inputs(q, k, v);
    }

    /**
     * Runs without optional inputs.
     *
     * @param scope owns the results
     * @param q as in {@link #inputs}
     * @param k as in {@link #inputs}
     * @param v as in {@link #inputs}
     * @return the outputs
     * @throws IllegalArgumentException if types or shapes do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Outputs apply(TensorScope scope, Tensor q, Tensor k, Tensor v) {
        return apply(scope, inputs(q, k, v));
    }

    /**
     * Runs.
     *
     * @param scope owns the results
     * @param in the inputs
     * @return the outputs
     * @throws IllegalArgumentException if types or shapes do not fit, or inputs exclude each other
     * @throws IllegalStateException if a scope is closed
     */
    public Outputs apply(TensorScope scope, Inputs in) {
        in.check();
        Tensor q = Heads.split(in.q, "Q", qNumHeads, "q_num_heads");
        Tensor newK = Heads.split(in.k, "K", kvNumHeads, "kv_num_heads");
        Tensor newV = Heads.split(in.v, "V", kvNumHeads, "kv_num_heads");
        Tensor k = concatenate(scope, in.pastKey, newK, "past_key");
        Tensor v = concatenate(scope, in.pastValue, newV, "past_value");
        boolean split = in.q.rank() == 3;
        Tensor y = Heads.zeros(scope, in.q.dtype(), split, q.size(0), q.size(1), q.size(QUERIES), v.size(3));
        Tensor stage = null;
        try (TensorScope scratch = TensorScope.open()) {
            AttentionInputs inputs = AttentionInputs.of(q, k, v, y);
            if (scores) {
                boolean asIs = in.q.dtype() == DType.FLOAT32;
                stage = (asIs ? scope : scratch).zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(QUERIES),
                    k.size(QUERIES));
                inputs.scores(stage);
            }
            long past = in.pastKey == null ? 0 : in.pastKey.size(QUERIES);
            lengths(scratch, inputs, in, past);
            attention.run(inputs);
            if (stage != null && in.q.dtype() != DType.FLOAT32) {
                stage = stage.cast(scope, in.q.dtype());
            }
        }
        return new Outputs(split ? Heads.merge(y) : y, k, v, stage);
    }

    /** Mask, key lengths and offsets. */
    private static void lengths(TensorScope scratch, AttentionInputs inputs, Inputs in, long past) {
        Tensor q = in.q;
        long batch = q.size(0);
        long queries = q.size(-2);
        long keys = past + in.k.size(-2);
        long masked = keys;
        if (in.attnMask != null) {
            masked = Masks.add(scratch, inputs, in.attnMask, keys);
        }
        long[] lengths = new long[Math.toIntExact(batch)];
        long[] offsets = new long[lengths.length];
        Arrays.fill(lengths, masked);
        Arrays.fill(offsets, past);
        if (in.nonpadKvSeqlen != null) {
            if (in.nonpadKvSeqlen.elements() != batch) {
                throw new IllegalArgumentException("nonpad_kv_seqlen must have one element for each batch entry: shape="
                    + in.nonpadKvSeqlen.shape() + " batch=" + batch);
            }
            long[] nonpad = in.nonpadKvSeqlen.toLongArray();
            for (int b = 0; b < nonpad.length; b++) {
                if (nonpad[b] < 0 || nonpad[b] > keys) {
                    throw new IllegalArgumentException("nonpad_kv_seqlen must be in [0, kv_sequence]: nonpad_kv_seqlen["
                        + b + "]=" + nonpad[b] + " kv_sequence=" + keys);
                }
                lengths[b] = Math.min(masked, nonpad[b]);
                offsets[b] = nonpad[b] - queries;
            }
        }
        inputs.keyLengths(scratch.of(lengths, batch)).offsets(scratch.of(offsets, batch));
    }

    private static Tensor concatenate(TensorScope scope, Tensor past, Tensor added, String name) {
        if (past == null) {
            return added;
        }
        if (past.rank() != 4 || past.dtype() != added.dtype() || past.size(0) != added.size(0)
            || past.size(1) != added.size(1) || past.size(3) != added.size(3)) {
            throw new IllegalArgumentException(name + " must fit what is added, in all but the sequence: " + name + "="
                + past + " added=" + added);
        }
        long length = past.size(QUERIES);
        Tensor present = scope.zeros(added.dtype(), added.size(0), added.size(1), length + added.size(QUERIES),
            added.size(3));
        present.slice(QUERIES, 0, length).copyFrom(past);
        present.slice(QUERIES, length, length + added.size(QUERIES)).copyFrom(added);
        return present;
    }

    /** The inputs of a call. Mutable; nothing is checked here, but by the call. */
    public static final class Inputs {
        private final Tensor q;
        private final Tensor k;
        private final Tensor v;
        private Tensor attnMask;
        private Tensor pastKey;
        private Tensor pastValue;
        private Tensor nonpadKvSeqlen;

        private Inputs(Tensor q, Tensor k, Tensor v) {
            this.q = Objects.requireNonNull(q, "q must not be null");
            this.k = Objects.requireNonNull(k, "k must not be null");
            this.v = Objects.requireNonNull(v, "v must not be null");
        }

        /**
         * Says what is seen, or is added to the scores.
         *
         * @param mask null, or BOOL (false hides) or floating-point, of a shape that broadcasts to [batch,
         *     q_num_heads, q_sequence, total_sequence]; where the last dimension is shorter, the rest is hidden
         * @return this
         */
        public Inputs attnMask(Tensor mask) {
            attnMask = mask;
            return this;
        }

        /**
         * The keys and values before k and v.
         *
         * @param key null, or [batch, kv_num_heads, past_sequence, head_size]
         * @param value null, or [batch, kv_num_heads, past_sequence, v_head_size]
         * @return this
         */
        public Inputs past(Tensor key, Tensor value) {
            pastKey = key;
            pastValue = value;
            return this;
        }

        /**
         * How many keys of k and v are there; query i then stands at i + nonpad_kv_seqlen - q_sequence. Excludes past.
         *
         * @param lengths null, or INT64 [batch]
         * @return this
         */
        public Inputs nonpadKvSeqlen(Tensor lengths) {
            nonpadKvSeqlen = lengths;
            return this;
        }

        private void check() {
            if (q.rank() != k.rank() || q.rank() != v.rank()) {
                throw new IllegalArgumentException("Q, K and V must have the same rank: Q=" + q + " K=" + k
                    + " V=" + v);
            }
            if ((pastKey == null) != (pastValue == null)) {
                throw new IllegalArgumentException("past_key and past_value go together: past_key=" + pastKey
                    + " past_value=" + pastValue);
            }
            if (pastKey != null && nonpadKvSeqlen != null) {
                throw new IllegalArgumentException("past_key and nonpad_kv_seqlen exclude each other: past_key="
                    + pastKey + " nonpad_kv_seqlen=" + nonpadKvSeqlen);
            }
        }
    }

    /**
     * The outputs of a call.
     *
     * @param y [batch, q_num_heads, q_sequence, v_head_size], or [batch, q_sequence, q_num_heads * v_head_size] where
     *     the inputs have rank 3; of the type of q
     * @param presentKey [batch, kv_num_heads, total_sequence, head_size], past and new keys; k itself without a past
     * @param presentValue [batch, kv_num_heads, total_sequence, v_head_size], likewise
     * @param qkMatmulOutput [batch, q_num_heads, q_sequence, total_sequence] of the type of q, null if it was not asked
     *     for
     */
    public record Outputs(Tensor y, Tensor presentKey, Tensor presentValue, Tensor qkMatmulOutput) {}

    /** The attributes, by their names in the standard. */
    public static final class Builder {
        private static final ScoreStage[] MODES =
            {ScoreStage.SCALED, ScoreStage.CAPPED, ScoreStage.HIDDEN, ScoreStage.WEIGHTS};

        /** What does the work; tests force its instruction set. */
        final Attention.Builder attention = Attention.builder();
        private long qNumHeads;
        private long kvNumHeads;
        private boolean scores;

        private Builder() {}

        /**
         * q_num_heads, of inputs of rank 3.
         *
         * @param heads at least 1
         * @return this
         */
        public Builder qNumHeads(long heads) {
            qNumHeads = Heads.positive(heads, "q_num_heads");
            return this;
        }

        /**
         * kv_num_heads, of inputs of rank 3.
         *
         * @param heads at least 1
         * @return this
         */
        public Builder kvNumHeads(long heads) {
            kvNumHeads = Heads.positive(heads, "kv_num_heads");
            return this;
        }

        /**
         * scale, 1 / sqrt(head_size) by default.
         *
         * @param factor finite
         * @return this
         */
        public Builder scale(float factor) {
            attention.scale(factor);
            return this;
        }

        /**
         * softcap, 0 for none by default.
         *
         * @param cap at least 0
         * @return this
         */
        public Builder softcap(float cap) {
            attention.softcap(cap);
            return this;
        }

        /**
         * is_causal = 1.
         *
         * @return this
         */
        public Builder causal() {
            attention.causal();
            return this;
        }

        /**
         * left_window_size and right_window_size, of opset 25.
         *
         * @param left at least 0, or -1 for an open side
         * @param right likewise
         * @return this
         */
        public Builder window(long left, long right) {
            attention.window(left, right);
            return this;
        }

        /**
         * qk_matmul_output_mode; asks for that output. Modes are in the order in which they are formed, as the standard
         * has them now; earlier texts had the mask before the softcap, and 1 and 2 the other way round.
         *
         * @param mode 0 for the scaled scores, 1 after the softcap, 2 with the mask, 3 for the weights
         * @return this
         */
        public Builder qkMatmulOutputMode(int mode) {
            if (mode < 0 || mode >= MODES.length) {
                throw new IllegalArgumentException("qk_matmul_output_mode must be in [0, 3]: qk_matmul_output_mode="
                    + mode);
            }
            attention.scores(MODES[mode]);
            scores = true;
            return this;
        }

        /**
         * softmax_precision; without effect, as softmax is FLOAT32 always.
         *
         * @param type of TensorProto: 1 FLOAT, 10 FLOAT16, 11 DOUBLE or 16 BFLOAT16
         * @return this
         */
        public Builder softmaxPrecision(int type) {
            if (type != 1 && type != 10 && type != 11 && type != 16) {
                throw new IllegalArgumentException("softmax_precision must be 1, 10, 11 or 16: softmax_precision="
                    + type);
            }
            return this;
        }

        /** {@return the operator} */
        public OnnxAttention build() {
            return new OnnxAttention(this);
        }
    }
}
