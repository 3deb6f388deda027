// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Attention of a sequence to itself: one head over the whole width, no output projection. Thread-safe, as {@link
 * AttentionModule} says.
 *
 * <p>PyTorch names: query_linear, key_linear, value_linear, each with weight [width, width] and bias [width].
 */
public final class SelfAttention extends ProjectedAttention {
    private SelfAttention(Builder builder) {
        super("SelfAttention", new Blueprint(builder, "query_linear", "key_linear", "value_linear"));
    }

    /**
     * A builder.
     *
     * @param width of input and output, at least 1
     * @return the builder
     * @throws IllegalArgumentException if it is less
     */
    public static Builder builder(long width) {
        return new Builder(width);
    }

    /**
     * Runs with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [batch, rows, width]
     * @return [batch, rows, width]
     * @throws IllegalArgumentException if x does not fit the module
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, Tensor x) {
        return apply(scope, ModuleInputs.of(x, null));
    }

    @Override
    void check(ModuleInputs in) {
        super.check(in);
        checkSelf(in);
    }

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private Builder(long width) {
            super(width, 1);
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width
         */
        public SelfAttention build() {
            return new SelfAttention(this);
        }
    }
}
