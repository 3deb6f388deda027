// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** What the environment tells oneDNN, which multiplies for PyTorch; the reason is in Torch.java. */
public final class OneDnn {
    private static final String LIMIT = System.getenv("ONEDNN_MAX_CPU_ISA");

    private OneDnn() {}

    /** {@return the instruction set up to which it goes, after a comma; nothing where it is free} */
    public static String describe() {
        return LIMIT == null ? "" : ", oneDNN up to " + LIMIT;
    }
}
