// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

/**
 * Attention of a sequence to itself: one head over the whole width, no output projection. Thread-safe, as {@link
 * AttentionModule} says.
 *
 * <p>PyTorch names: query_linear, key_linear, value_linear, each with weight [width, width] and bias [width].
 */
public final class SelfAttention extends OneInputAttention {
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
