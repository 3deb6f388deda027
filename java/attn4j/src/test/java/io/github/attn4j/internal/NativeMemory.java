// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.util.concurrent.locks.LockSupport;

/** What the native library has handed out. */
public final class NativeMemory {
    private NativeMemory() {}

    /** Bytes of tensors and the like that are not freed yet. */
    public static long allocated() {
        return Native.attn4j_memory_allocated();
    }

    /**
     * The same once the Cleaner has freed what other tests forgot, so that it cannot become less behind a test's back.
     */
    public static long settled() {
        long last = -1;
        for (int unchanged = 0; unchanged < 3; ) {
            System.gc();
            LockSupport.parkNanos(20_000_000);
            long now = allocated();
            unchanged = now == last ? unchanged + 1 : 0;
            last = now;
        }
        return last;
    }
}
