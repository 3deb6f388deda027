// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Isa;

/** Opens the way to the instruction set of an attention for the tests of other packages. */
public final class ForcedIsa {
    private ForcedIsa() {}

    /** The builder, set. */
    public static Attention.Builder on(Attention.Builder builder, Isa isa) {
        return builder.isa(isa);
    }

    /** Whether its runs write scores. */
    public static boolean writes(Attention attention) {
        return attention.stage != null;
    }
}
