// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Root mean square normalisation of each row: {@code out = x / sqrt(mean(x^2) + epsilon) * gamma}, as in PyTorch
 * (arXiv:1910.07467). Immutable and thread-safe; it keeps gamma, which must stay open.
 */
public final class RmsNorm {
    private final View gamma;
    private final double epsilon;
    private final Isa isa;
    private final int threads;

    private RmsNorm(Builder builder) {
        gamma = Check.vector(builder.gamma, "gamma", View.FLOAT32);
        epsilon = builder.epsilon;
        isa = builder.isa;
        threads = builder.threads;
    }

    /**
     * A builder.
     *
     * @param gamma factor of each column, contiguous FLOAT32 [width]
     * @return the builder
     */
    public static Builder builder(Tensor gamma) {
        return new Builder(gamma);
    }

    /**
     * Runs.
     *
     * @param x [..., width]
     * @param out [..., width], may be x
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out) {
        View in = Operands.matrix(x, "x", gamma.size(0), "gamma.size(0)");
        View result = Operands.likeOrSame(out, in);
        Check.disjoint(result, "out", gamma, "gamma");
        Layers.rmsNorm(in, gamma, epsilon, result, isa, threads);
    }

    /**
     * Runs, with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [..., width]
     * @return [..., width]
     * @throws IllegalArgumentException if x does not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor x) {
        Tensor out = Operands.newRows(scope, x, Check.matrix(x, "x").width());
        run(x, out);
        return out;
    }

    /** Options of an RMS normalisation. */
    public static final class Builder extends NormBuilder<Builder> {
        private final Tensor gamma;

        private Builder(Tensor gamma) {
            super(1e-6);
            this.gamma = gamma;
        }

        /**
         * Checks the options.
         *
         * @return the layer
         * @throws IllegalArgumentException if gamma is no FLOAT32 vector
         */
        public RmsNorm build() {
            return new RmsNorm(this);
        }
    }
}
