// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Attention of a sequence to another: one head over the whole width, no output projection. Thread-safe, as {@link
 * AttentionModule} says.
 *
 * <p>PyTorch names: query_linear, key_linear, value_linear, each with weight [width, width] and bias [width].
 */
public final class CrossAttention extends ProjectedAttention {
    private CrossAttention(Builder builder) {
        super("CrossAttention", new Blueprint(builder, "query_linear", "key_linear", "value_linear"));
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
     * @param query [batch, queries, width]
     * @param source what is attended to, keys and values in one, [batch, keys, width]
     * @return [batch, queries, width]
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, Tensor query, Tensor source) {
        return apply(scope, ModuleInputs.of(query, source, source, null));
    }

    @Override
    void check(ModuleInputs in) {
        if (in.value != in.key) {
            throw new IllegalArgumentException("cross-attention has one source: key=" + in.key + " value=" + in.value);
        }
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
        public CrossAttention build() {
            return new CrossAttention(this);
        }
    }
}
