// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/**
 * How keys are turned by their positions on their way into a cache; {@link io.github.attn4j.nn.RotaryEmbedding} says
 * what it does and is one. Of a row at position p, the pairs (a, b) become {@code (a cos - b sin, b cos + a sin)} with
 * row p of the tables.
 */
public interface KeyRotation {
    /** {@return the cosines, FLOAT32 [positions, rotaryDim / 2]} */
    Tensor cos();

    /** {@return the sines, FLOAT32 [positions, rotaryDim / 2], of the same strides} */
    Tensor sin();

    /** {@return whether numbers 2d and 2d + 1 are a pair, and not d and d + rotaryDim / 2} */
    boolean interleaved();
}
