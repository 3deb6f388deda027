// SPDX-License-Identifier: Apache-2.0
// The version for JDK 17 to 21; META-INF/versions/22 has the one that works.
package io.github.attn4j.internal;

import java.util.function.BooleanSupplier;

/** Native memory segments, where the JDK has them. */
final class Segments {
    private Segments() {}

    static long address(Object segment, long bytes, int alignment) {
        throw unsupported();
    }

    static BooleanSupplier alive(Object segment) {
        throw unsupported();
    }

    static boolean readOnly(Object segment) {
        throw unsupported();
    }

    private static UnsupportedOperationException unsupported() {
        return new UnsupportedOperationException("wrapping a MemorySegment needs JDK 22 or newer and the attn4j jar "
            + "(its META-INF/versions/22): java.version=" + System.getProperty("java.version"));
    }
}
