// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;

/** A part of a file in memory, read-only. Run unmaps it; for JDK 22 and up. */
public final class Mapping implements Runnable {
    /** Of the first byte. */
    public final long address;
    private final Arena arena;

    private Mapping(Arena arena, MemorySegment segment) {
        this.arena = arena;
        address = segment.address();
    }

    /** The most bytes of one mapping; no constant, which the compiler would copy into its users. */
    public static long limit() {
        return Long.MAX_VALUE;
    }

    /** Maps 1 byte or more, which the file must have. */
    public static Mapping of(FileChannel file, long from, long bytes) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            return new Mapping(arena, file.map(FileChannel.MapMode.READ_ONLY, from, bytes, arena));
        } catch (IOException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void run() {
        arena.close();
    }
}
