// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.attn4j.internal.NativeMemory;
import java.lang.management.ManagementFactory;

/** That a call allocates nothing once it is warm, neither in Java nor native memory. */
public final class SteadyState {
    private static final int CALLS = 20_000;

    private SteadyState() {}

    /** Calls often. */
    public static void assertAllocatesNothing(Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        assertTrue(threads.isThreadAllocatedMemorySupported());
        call.run();
        long memory = NativeMemory.allocated();
        long least = Long.MAX_VALUE;
        // The interpreter and the JIT may allocate on this thread while warming up; the best of some rounds is steady.
        for (int round = 0; round < 10 && least > 0; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, least);
        // It may become less, when the Cleaner gets to what other tests forgot.
        assertTrue(NativeMemory.allocated() <= memory, () -> "before=" + memory + " after=" + NativeMemory.allocated());
    }
}
