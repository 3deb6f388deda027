// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Objects;

/**
 * A segment of keys and values, for {@link SegmentedAttention}. Immutable and thread-safe; the tensors are not copied
 * and must stay open.
 *
 * @param k keys [batch, kvHeads, keys, headDim]
 * @param v values [batch, kvHeads, keys, valueDim]
 */
public record KeyValues(Tensor k, Tensor v) {
    /**
     * A segment.
     *
     * @param k keys [batch, kvHeads, keys, headDim]
     * @param v values [batch, kvHeads, keys, valueDim]
     * @throws NullPointerException if one is null
     */
    public KeyValues {
        Objects.requireNonNull(k, "k must not be null");
        Objects.requireNonNull(v, "v must not be null");
    }
}
