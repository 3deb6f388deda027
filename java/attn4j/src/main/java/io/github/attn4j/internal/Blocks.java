// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Native memory, and what else was added to it, that is freed together. Thread-safe. The owner's acquire and close
 * order its use.
 */
public final class Blocks implements Runnable {
    private long[] addresses = new long[4];
    private int count;
    private final List<Runnable> added = new ArrayList<>(0);

    /** No memory yet. */
    public Blocks() {}

    /** Zeroed memory, aligned to 64 bytes. OutOfMemoryError if there is none. */
    public synchronized long allocate(long bytes) {
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
        }
        long address = Native.attn4j_memory_allocate(bytes);
        if (address == 0) {
            throw new OutOfMemoryError("native memory: bytes=" + bytes + " allocated="
                + Native.attn4j_memory_allocated());
        }
        addresses[count++] = address;
        return address;
    }

    /** Something else, run once when all is freed. */
    public synchronized void add(Runnable freed) {
        added.add(freed);
    }

    /** Frees all. */
    @Override
    public synchronized void run() {
        added.forEach(Runnable::run);
        added.clear();
        while (count > 0) {
            Native.attn4j_memory_free(addresses[--count]);
        }
    }
}
