// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/** Expectations about exceptions. */
public final class Expect {
    private Expect() {}

    /** IllegalArgumentException whose message contains the part. */
    public static void refused(String part, Executable call) {
        thrown(IllegalArgumentException.class, part, call);
    }

    /** An exception of exactly this type whose message contains the part. */
    public static void thrown(Class<? extends Throwable> type, String part, Executable call) {
        Throwable error = assertThrows(Throwable.class, call);
        assertTrue(error.getClass() == type && String.valueOf(error.getMessage()).contains(part),
            () -> "expected " + type.getSimpleName() + " with <" + part + "> but was " + error);
    }
}
