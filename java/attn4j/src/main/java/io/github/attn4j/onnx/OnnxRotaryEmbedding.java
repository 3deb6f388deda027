// SPDX-License-Identifier: Apache-2.0
// The operator is described at https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html
package io.github.attn4j.onnx;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Rotary;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;

/** ONNX's RotaryEmbedding, opset 23. Immutable and thread-safe. */
public final class OnnxRotaryEmbedding {
    private static final int HALVES = 0;
    private static final int PAIRS = 1;

    private final boolean interleaved;
    private final long numHeads;
    private final long rotaryEmbeddingDim;
    private final Isa isa;

    private OnnxRotaryEmbedding(Builder builder) {
        interleaved = builder.interleaved;
        numHeads = builder.numHeads;
        rotaryEmbeddingDim = builder.rotaryEmbeddingDim;
        isa = builder.isa;
    }

    /** {@return a builder with the default attributes} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Runs.
     *
     * @param scope owns the result
     * @param input [batch, num_heads, sequence, head_size] or [batch, sequence, num_heads * head_size]; FLOAT32,
     *     BFLOAT16 or FLOAT16
     * @param cosCache [max_position, rotary_embedding_dim / 2] with position ids, else [batch, sequence,
     *     rotary_embedding_dim / 2]; FLOAT32, BFLOAT16 or FLOAT16
     * @param sinCache likewise
     * @param positionIds null, or INT64 [batch, sequence], each in [0, max_position)
     * @return of the shape and type of the input
     * @throws IllegalArgumentException if types, shapes or positions do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor input, Tensor cosCache, Tensor sinCache, Tensor positionIds) {
        Tensor x = Heads.split(input, "input", numHeads, "num_heads");
        View from = Check.floatRows(x, "input", 4);
        long batch = x.size(0);
        long rows = x.size(2);
        long rotaryDim = rotaryEmbeddingDim == 0 ? x.size(3) : rotaryEmbeddingDim;
        if (rotaryDim % 2 != 0 || rotaryDim < 2 || rotaryDim > x.size(3)) {
            throw new IllegalArgumentException("rotary_embedding_dim must be even and at most head_size: "
                + "rotary_embedding_dim=" + rotaryDim + " head_size=" + x.size(3));
        }
        boolean split = input.rank() == 3;
        Tensor out = Heads.zeros(scope, input.dtype(), split, batch, x.size(1), rows, x.size(3));
        try (TensorScope scratch = TensorScope.open()) {
            Tensor cos = table(scratch, cosCache, "cos_cache", positionIds == null, batch, rows, rotaryDim / 2);
            Tensor sin = table(scratch, sinCache, "sin_cache", positionIds == null, batch, rows, rotaryDim / 2);
            if (cos.size(0) != sin.size(0)) {
                throw new IllegalArgumentException("cos_cache and sin_cache must have the same shape: cos_cache="
                    + cosCache + " sin_cache=" + sinCache);
            }
            Rotary.run(from, View.of(out, "out"), interleaved ? PAIRS : HALVES, View.of(cos, "cos_cache"),
                View.of(sin, "sin_cache"), 0, positionIds == null ? null : ids(positionIds, batch, rows),
                positionIds == null ? View.of(starts(scratch, batch, rows), "starts") : null, isa, 0);
        }
        return split ? Heads.merge(out) : out;
    }

    /** A cache as contiguous FLOAT32 [positions, width]; without ids each row of the input has its own position. */
    private static Tensor table(TensorScope scratch, Tensor cache, String name, boolean perRow, long batch, long rows,
                                long width) {
        View view = Check.floats(cache, name);
        long[] expected = perRow ? new long[] {batch, rows, width} : new long[] {cache.size(0), width};
        if (!Arrays.equals(expected, cache.shape().toArray())) {
            throw new IllegalArgumentException(name + (perRow ? " must be [batch, sequence, rotary_embedding_dim / 2]"
                : " must be [max_position, rotary_embedding_dim / 2]") + ": " + name + "=" + cache + " expected="
                + Arrays.toString(expected));
        }
        Tensor packed = view.type == View.FLOAT32 && view.isContiguous() ? cache : cache.cast(scratch, DType.FLOAT32);
        return perRow ? packed.reshape(batch * rows, width) : packed;
    }

    private static Tensor starts(TensorScope scratch, long batch, long rows) {
        long[] starts = new long[Math.toIntExact(batch)];
        Arrays.setAll(starts, b -> b * rows);
        return scratch.of(starts, batch);
    }

    private static View ids(Tensor positionIds, long batch, long rows) {
        View view = Check.tensor(positionIds, "position_ids", View.INT64, 2);
        Check.contiguous(view, "position_ids");
        Check.size(view, "position_ids", 0, batch, "batch");
        Check.size(view, "position_ids", 1, rows, "sequence");
        return view;
    }

    /** The attributes. */
    public static final class Builder {
        private boolean interleaved;
        private long numHeads;
        private long rotaryEmbeddingDim;
        private Isa isa = Isa.DEFAULT;

        private Builder() {}

        /**
         * interleaved = 1: neighbours turn together, not the two halves.
         *
         * @return this
         */
        public Builder interleaved() {
            interleaved = true;
            return this;
        }

        /**
         * num_heads, of inputs of rank 3.
         *
         * @param heads at least 1
         * @return this
         */
        public Builder numHeads(long heads) {
            numHeads = Heads.positive(heads, "num_heads");
            return this;
        }

        /**
         * rotary_embedding_dim: how many numbers of each row turn.
         *
         * @param dim even; 0 (the default) for all
         * @return this
         */
        public Builder rotaryEmbeddingDim(long dim) {
            if (dim < 0 || dim % 2 != 0) {
                throw new IllegalArgumentException("rotary_embedding_dim must be even and at least 0: "
                    + "rotary_embedding_dim=" + dim);
            }
            rotaryEmbeddingDim = dim;
            return this;
        }

        /** Forces an instruction set, for tests. */
        Builder isa(Isa forced) {
            isa = forced;
            return this;
        }

        /** {@return the operator} */
        public OnnxRotaryEmbedding build() {
            return new OnnxRotaryEmbedding(this);
        }
    }
}
