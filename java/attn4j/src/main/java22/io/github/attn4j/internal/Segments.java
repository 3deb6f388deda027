// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;

/** Native memory segments, for JDK 22 and up. */
final class Segments {
    private Segments() {}

    static long address(Object segment, long bytes, int alignment) {
        MemorySegment memory = of(segment);
        if (!memory.isNative()) {
            throw new IllegalArgumentException("segment must be native memory, a heap segment would have to be copied: "
                + memory);
        }
        if (memory.byteSize() != bytes) {
            throw new IllegalArgumentException("segment must have exactly the bytes of the shape: byteSize="
                + memory.byteSize() + " needed=" + bytes);
        }
        if (memory.address() % alignment != 0) {
            throw new IllegalArgumentException("segment must be aligned to its elements: address=0x"
                + Long.toHexString(memory.address()) + " alignment=" + alignment);
        }
        return memory.address();
    }

    static BooleanSupplier alive(Object segment) {
        MemorySegment.Scope scope = of(segment).scope();
        return scope::isAlive;
    }

    static boolean readOnly(Object segment) {
        return of(segment).isReadOnly();
    }

    private static MemorySegment of(Object segment) {
        if (segment instanceof MemorySegment memory) {
            return memory;
        }
        throw new IllegalArgumentException("segment must be a java.lang.foreign.MemorySegment: class="
            + (segment == null ? "null" : segment.getClass().getName()));
    }
}
