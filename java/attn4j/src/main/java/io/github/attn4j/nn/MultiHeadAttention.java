// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

/**
 * Multi-head attention as tutorials write it: separate query, key and value inputs, a mask, and dropout of 0.1 on the
 * weights in train(). Thread-safe, as {@link AttentionModule} says.
 *
 * <p>PyTorch names: q_linear, k_linear, v_linear, out, each with weight [width, width] and bias [width].
 */
public final class MultiHeadAttention extends ThreeInputAttention {
    private MultiHeadAttention(Builder builder) {
        super("MultiHeadAttention", new Blueprint(builder, "q_linear", "k_linear", "v_linear").out("out"));
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

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private Builder(long width, long heads) {
            super(width, heads);
            dropout = 0.1;
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width
         */
        public MultiHeadAttention build() {
            return new MultiHeadAttention(this);
        }
    }
}
