// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The mean of the rows of each sequence. Immutable and thread-safe. */
public final class MeanPool {
    private final Isa isa;
    private final int threads;

    private MeanPool(Builder builder) {
        isa = builder.isa;
        threads = builder.threads;
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * {@code out[b] = mean of x[cu[b]] to x[cu[b + 1] - 1]}, 0 if there are none.
     *
     * @param x [rows, width], the sequences end to end
     * @param cu contiguous INT64 [batch + 1], not decreasing, the last at most rows
     * @param out [batch, width], shares no element with x
     * @throws IllegalArgumentException if the tensors or lengths do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor cu, Tensor out) {
        View in = Check.rows(x, "x", 2);
        View lengths = lengths(cu);
        View result = Operands.output(out, lengths.size(0) - 1, "cu.size(0) - 1", in.size(1), "x.size(1)");
        Check.disjoint(result, "out", in, "x");
        Check.disjoint(result, "out", lengths, "cu");
        Layers.meanPool(in, lengths, result, isa, threads);
    }

    /**
     * Pools, with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [rows, width], the sequences end to end
     * @param cu contiguous INT64 [batch + 1], not decreasing, the last at most rows
     * @return [batch, width]
     * @throws IllegalArgumentException if the tensors or lengths do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor x, Tensor cu) {
        long width = Check.rows(x, "x", 2).size(1);
        Tensor out = scope.zeros(DType.FLOAT32, lengths(cu).size(0) - 1, width);
        run(x, cu, out);
        return out;
    }

    private static View lengths(Tensor cu) {
        View lengths = Check.vector(cu, "cu", View.INT64);
        if (lengths.size(0) < 1) {
            throw new IllegalArgumentException("cu must have batch + 1 elements: cu.size(0)=" + lengths.size(0)
                + " minimum=1");
        }
        return lengths;
    }

    /** Options of a mean pooling. */
    public static final class Builder extends LayerBuilder<Builder> {
        private Builder() {}

        /** {@return the layer} */
        public MeanPool build() {
            return new MeanPool(this);
        }
    }
}
