// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Layer normalisation of each row of {@code y = x + residual}:
 * {@code out = (y - mean(y)) / sqrt(var(y) + epsilon) * gamma + beta}, with the biased variance, as in PyTorch
 * (arXiv:1607.06450). Immutable and thread-safe; it keeps gamma and beta, which must stay open.
 */
public final class LayerNorm {
    private final View gamma;
    private final View beta;
    private final double epsilon;
    private final Isa isa;
    private final int threads;

    private LayerNorm(Builder builder) {
        gamma = Check.vector(builder.gamma, "gamma", View.FLOAT32);
        beta = Check.vector(builder.beta, "beta", View.FLOAT32, gamma.size(0), "gamma.size(0)");
        epsilon = builder.epsilon;
        isa = builder.isa;
        threads = builder.threads;
    }

    /**
     * A builder.
     *
     * @param gamma factor of each column, contiguous FLOAT32 [width]
     * @param beta summand of each column, contiguous FLOAT32 [width]
     * @return the builder
     */
    public static Builder builder(Tensor gamma, Tensor beta) {
        return new Builder(gamma, beta);
    }

    /**
     * Runs without a residual.
     *
     * @param x [..., width]
     * @param out [..., width], may be x
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out) {
        run(x, null, out);
    }

    /**
     * Runs.
     *
     * @param x [..., width]
     * @param residual null, or [..., width]
     * @param out [..., width], may be x or the residual
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor residual, Tensor out) {
        View in = Operands.matrix(x, "x", gamma.size(0), "gamma.size(0)");
        View result = Operands.likeOrSame(out, in);
        View added = Operands.residual(residual, result);
        Check.disjoint(result, "out", gamma, "gamma");
        Check.disjoint(result, "out", beta, "beta");
        Layers.layerNorm(in, added, gamma, beta, epsilon, result, isa, threads);
    }

    /**
     * Runs without a residual, with a new tensor as result.
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

    /** Options of a layer normalisation. */
    public static final class Builder extends NormBuilder<Builder> {
        private final Tensor gamma;
        private final Tensor beta;

        private Builder(Tensor gamma, Tensor beta) {
            super(1e-5);
            this.gamma = gamma;
            this.beta = beta;
        }

        /**
         * Checks the options.
         *
         * @return the layer
         * @throws IllegalArgumentException if gamma and beta do not fit
         */
        public LayerNorm build() {
            return new LayerNorm(this);
        }
    }
}
