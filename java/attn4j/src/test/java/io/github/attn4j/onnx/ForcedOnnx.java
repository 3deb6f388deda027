// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.onnx;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.ForcedIsa;
import io.github.attn4j.internal.Isa;

/** Opens the way to the instruction set of the operators for the tests of other packages. */
public final class ForcedOnnx {
    private ForcedOnnx() {}

    /** The builder, set. */
    public static OnnxAttention.Builder on(OnnxAttention.Builder builder, Isa isa) {
        ForcedIsa.on(builder.attention, isa);
        return builder;
    }

    /** The builder, set. */
    public static OnnxRotaryEmbedding.Builder on(OnnxRotaryEmbedding.Builder builder, Isa isa) {
        return builder.isa(isa);
    }

    /** What does the work of the operator. */
    public static Attention attention(OnnxAttention operator) {
        return operator.attention;
    }
}
