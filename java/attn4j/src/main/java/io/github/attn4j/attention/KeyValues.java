// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Objects;

/**
 * A segment of keys and values, for {@link SegmentedAttention}. Immutable and thread-safe; the tensors are not copied
 * and must stay open. What is INT8 has a scale for each head and key, by which its numbers are multiplied.
 *
 * @param k keys [batch, kvHeads, keys, headDim]
 * @param v values [batch, kvHeads, keys, valueDim]
 * @param kScales FLOAT32 [batch, kvHeads, keys] where k is INT8, else null
 * @param vScales FLOAT32 [batch, kvHeads, keys] where v is INT8, else null
 */
public record KeyValues(Tensor k, Tensor v, Tensor kScales, Tensor vScales) {
    /**
     * A segment.
     *
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @param kScales FLOAT32 [batch, kvHeads, keys] where k is INT8, else null
     * @param vScales FLOAT32 [batch, kvHeads, keys] where v is INT8, else null
     * @throws NullPointerException if k or v is null
     */
    public KeyValues {
        Objects.requireNonNull(k, "k must not be null");
        Objects.requireNonNull(v, "v must not be null");
    }

    /**
     * A segment of floating-point numbers.
     *
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @throws NullPointerException if one is null
     */
    public KeyValues(Tensor k, Tensor v) {
        this(k, v, null, null);
    }
}
