// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/** What the native library has handed out. */
public final class NativeMemory {
    private NativeMemory() {}

    /** Bytes of tensors and the like that are not freed yet. */
    public static long allocated() {
        return Native.attn4j_memory_allocated();
    }
}
