// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.ForcedIsa;
import io.github.attn4j.internal.Isa;

/** Opens the way to the instruction set of the modules for tests. */
public final class ForcedModules {
    private ForcedModules() {}

    /** The builder, set: its layers and its attention. */
    public static <B extends ModuleBuilder<B>> B on(B builder, Isa isa) {
        builder.forced = attention -> ForcedIsa.on(attention, isa);
        return builder.isa(isa);
    }
}
