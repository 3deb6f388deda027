// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import java.util.Objects;

/**
 * Attention of a sequence to itself with a sigmoid gate on its output (arXiv:2505.06708), {@code sigmoid(gate(x)) *
 * attention(x)}: one head over the whole width unless it is built with more, no output projection. Thread-safe, as
 * {@link AttentionModule} says.
 *
 * <p>PyTorch names: query_linear, key_linear, value_linear and gate_linear, each with weight [width, width] and bias
 * [width]; a gate of each head has weight [heads, width] and bias [heads].
 */
public final class GatedSelfAttention extends OneInputAttention {
    private GatedSelfAttention(Builder builder) {
        super("GatedSelfAttention", new Blueprint(builder, "query_linear", "key_linear", "value_linear")
            .gate("gate_linear", builder.gating.numbers(builder.heads, builder.width)));
    }

    /**
     * A builder.
     *
     * @param width of input and output, at least 1
     * @return the builder
     * @throws IllegalArgumentException if it is less
     */
    public static Builder builder(long width) {
        return new Builder(width, 1);
    }

    /**
     * A builder.
     *
     * @param width of input and output, at least 1
     * @param heads at least 1, dividing the width
     * @return the builder
     * @throws IllegalArgumentException if one is less
     */
    public static Builder builder(long width, long heads) {
        return new Builder(width, heads);
    }

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private Gating gating = Gating.ELEMENTWISE;

        private Builder(long width, long heads) {
            super(width, heads);
        }

        /**
         * What the gate has numbers for, each element by default.
         *
         * @param kind the gating
         * @return this
         */
        public Builder gating(Gating kind) {
            gating = Objects.requireNonNull(kind, "gating must not be null");
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width
         */
        public GatedSelfAttention build() {
            return new GatedSelfAttention(this);
        }
    }
}
