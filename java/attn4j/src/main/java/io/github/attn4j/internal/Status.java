// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.util.concurrent.CancellationException;

/** The one place where a status of the native library becomes a JDK exception. */
final class Status {
    private Status() {}

    /** Returns for ATTN4J_OK, else throws with the native message. */
    static void check(int status) {
        if (status != Native.ATTN4J_OK) {
            throw failure(status);
        }
    }

    /** The exception of a failure that was just reported on this thread. It does not return for an Error. */
    static RuntimeException failure(int status) {
        // The message belongs to the carrier thread. A virtual thread cannot change carriers between the two native
        // calls, as nothing there blocks.
        String message = Native.attn4j_error_message();
        switch (status) {
            case Native.ATTN4J_INVALID_ARGUMENT:
                return new IllegalArgumentException(message);
            case Native.ATTN4J_UNSUPPORTED:
                return new UnsupportedOperationException(message);
            case Native.ATTN4J_ILLEGAL_STATE:
                return new IllegalStateException(message);
            case Native.ATTN4J_CANCELLED:
                return new CancellationException(message);
            case Native.ATTN4J_OUT_OF_MEMORY:
                throw new OutOfMemoryError(message);
            default:
                throw new AssertionError("a defect of attn4j, please report it: status=" + status + " " + message);
        }
    }
}
