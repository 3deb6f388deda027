// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;

/**
 * The options that normalisations share. Builders are not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract sealed class NormBuilder<B extends NormBuilder<B>> extends LayerBuilder<B>
        permits LayerNorm.Builder, RmsNorm.Builder, Normalize.Builder {
    double epsilon;

    NormBuilder(double epsilon) {
        this.epsilon = epsilon;
    }

    /**
     * Keeps what is divided by from 0. In a layer norm it is added to the variance, 1e-5 by default (BERT has 1e-12);
     * in an RMS norm to the mean square, 1e-6 by default; in a normalisation to length 1 it is the least length, 1e-12
     * by default.
     *
     * @param value positive and finite
     * @return this
     * @throws IllegalArgumentException if it is not
     */
    public final B epsilon(double value) {
        epsilon = Check.positive(value, "epsilon");
        return self();
    }
}
