// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * Draws tokens by the logits of a language model: of the {@code topK} likeliest tokens, those of the least number whose
 * probabilities, at the temperature, come to {@code topP} of their sum (arXiv:1904.09751), each by its probability. Of
 * equally likely tokens the lower come first. With temperature 0 it is the likeliest token.
 *
 * <p>A draw depends on the seed, the step and the row alone, and of course the logits: the same again for any number of
 * threads, on one instruction set. Immutable and thread-safe; a run allocates nothing once each thread has run once.
 */
public final class Sampler {
    private final double temperature;
    private final long topK;
    private final double topP;
    private final long seed;
    private final Isa isa;
    private final int threads;

    private Sampler(Builder builder) {
        temperature = builder.temperature;
        topK = builder.topK;
        topP = builder.topP;
        seed = builder.seed;
        isa = builder.isa;
        threads = builder.threads;
    }

    /** {@return a builder of a sampler of all tokens by their probabilities, with temperature 1 and seed 0} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Draws a token for each row.
     *
     * @param logits FLOAT32 [..., vocabulary]; -infinity is never drawn
     * @param step which draw of the seed it is, at least 0; usually the position of the token
     * @param tokens contiguous INT32, one number for each row of the logits
     * @throws IllegalArgumentException if the tensors do not fit, a logit is NaN or infinity, or all of a row are
     *     -infinity; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor logits, long step, Tensor tokens) {
        View in = Check.matrix(logits, "logits");
        Check.atLeast(1, in.width(), "vocabulary");
        Check.atLeast(0, step, "step");
        View out = Check.vector(tokens, "tokens", View.INT32, in.rows(), "logits.rows");
        Check.writable(out, "tokens");
        Check.disjoint(out, "tokens", in, "logits");
        Layers.sample(in, temperature, topK, topP, seed, step, out, isa, threads);
    }

    /** Options of a sampler. */
    public static final class Builder extends LayerBuilder<Builder> {
        private double temperature = 1;
        private long topK;
        private double topP = 1;
        private long seed;

        private Builder() {}

        /**
         * What logits are divided by, 1 by default; 0 takes the likeliest token, whatever else is set.
         *
         * @param value at least 0 and finite
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder temperature(double value) {
            if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("temperature must be at least 0 and finite: temperature=" + value);
            }
            temperature = value;
            return this;
        }

        /**
         * How many of the likeliest tokens are drawn from, 0 (the default) for all.
         *
         * @param tokens at least 0
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder topK(long tokens) {
            topK = Check.atLeast(0, tokens, "topK");
            return this;
        }

        /**
         * The probability that the likeliest tokens must come to, 1 (the default) for all.
         *
         * @param probability above 0 and at most 1
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder topP(double probability) {
            if (!(probability > 0 && probability <= 1)) {
                throw new IllegalArgumentException("topP must be above 0 and at most 1: topP=" + probability);
            }
            topP = probability;
            return this;
        }

        /**
         * Of all draws, 0 by default.
         *
         * @param value any number
         * @return this
         */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** {@return the sampler} */
        public Sampler build() {
            return new Sampler(this);
        }
    }
}
