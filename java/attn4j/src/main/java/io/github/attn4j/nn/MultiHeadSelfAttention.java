// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

/**
 * Multi-head attention of a sequence to itself. Thread-safe, as {@link AttentionModule} says.
 *
 * <p>PyTorch names: query, key, value, fc, each with weight [width, width] and bias [width].
 */
public final class MultiHeadSelfAttention extends OneInputAttention {
    private MultiHeadSelfAttention(Builder builder) {
        super("MultiHeadSelfAttention", new Blueprint(builder, "query", "key", "value").out("fc"));
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
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width
         */
        public MultiHeadSelfAttention build() {
            return new MultiHeadSelfAttention(this);
        }
    }
}
