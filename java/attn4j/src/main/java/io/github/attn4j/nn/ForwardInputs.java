// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/**
 * What the inputs of all forwards have. Mutable, to be used again by the next forward without allocating; not
 * thread-safe. Nothing is checked here, but by the forward.
 *
 * @param <B> the inputs themselves
 */
public abstract sealed class ForwardInputs<B extends ForwardInputs<B>> permits SequenceInputs, GeneralizedInputs {
    Tensor weights;
    long seed;
    boolean seeded;

    ForwardInputs() {}

    /**
     * The seed of the dropout, wanted in train(). The same seed gives the same draws, for any number of threads.
     *
     * @param number any
     * @return this
     */
    public final B seed(long number) {
        seed = number;
        seeded = true;
        return self();
    }

    @SuppressWarnings("unchecked")
    final B self() {
        return (B) this;
    }
}
