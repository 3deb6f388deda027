// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Multi-head attention as "The Annotated Transformer" has it: separate query, key and value inputs, a mask, dropout of
 * 0.1 on the weights in train(), and the last weights kept when asked for. Thread-safe, as {@link AttentionModule}
 * says; of calls at once any may be the last.
 *
 * <p>PyTorch names: linears.0 (query), linears.1 (key), linears.2 (value) and linears.3 (output), each with weight
 * [width, width] and bias [width].
 */
public final class MultiHeadedAttention extends ThreeInputAttention {
    private final boolean keepsWeights;
    private volatile Tensor lastWeights;

    private MultiHeadedAttention(Builder builder) {
        super("MultiHeadedAttention", new Blueprint(builder, "linears.0", "linears.1", "linears.2").out("linears.3"));
        keepsWeights = builder.keepsWeights;
    }

    /**
     * A builder.
     *
     * @param width of queries, keys, values and output, at least 1
     * @param heads at least 1, dividing the width
     * @return the builder
     * @throws IllegalArgumentException if one is less
     */
    public static Builder builder(long width, long heads) {
        return new Builder(width, heads);
    }

    /** Makes a tensor for the weights, too, where they are kept. */
    @Override
    public Tensor apply(TensorScope scope, ModuleInputs inputs) {
        return keepsWeights && inputs.weights == null ? applyWithWeights(scope, inputs).out()
            : super.apply(scope, inputs);
    }

    @Override
    public void run(ModuleInputs inputs) {
        super.run(inputs);
        if (keepsWeights && inputs.weights != null) {
            lastWeights = inputs.weights;
        }
    }

    /**
     * The weights of the last {@code apply}, or {@code run} that was given a tensor for them; not of a planned forward.
     *
     * @return [batch, heads, queries, keys], owned by the scope of that call; null before the first
     * @throws IllegalStateException if the module was not built to keep them
     */
    public Tensor lastWeights() {
        if (!keepsWeights) {
            throw new IllegalStateException("this module keeps no weights: build it with keepWeights()");
        }
        return lastWeights;
    }

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private boolean keepsWeights;

        private Builder(long width, long heads) {
            super(width, heads);
            dropout = 0.1;
        }

        /**
         * Keeps the weights of the last call, which costs memory of queries x keys.
         *
         * @return this
         */
        public Builder keepWeights() {
            keepsWeights = true;
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width
         */
        public MultiHeadedAttention build() {
            return new MultiHeadedAttention(this);
        }
    }
}
