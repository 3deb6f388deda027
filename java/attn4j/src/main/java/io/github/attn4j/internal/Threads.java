// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/** The library's pool of threads. */
public final class Threads {
    /** The property that sets the size of the pool when the library is loaded. */
    static final String PROPERTY = "attn4j.threads";

    private Threads() {}

    /** The size of the pool, the calling thread included. */
    public static int size() {
        return Native.attn4j_threads();
    }

    /** Sets it. */
    public static void size(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1: threads=" + threads);
        }
        Status.check(Native.attn4j_threads_set(threads));
    }

    /** Ends the threads; a later call starts them again. */
    public static void shutdown() {
        Native.attn4j_threads_shutdown();
    }

    /** Applies the property; the library was just loaded. */
    static void configure() {
        String value = System.getProperty(PROPERTY);
        if (value == null) {
            return;
        }
        int threads;
        try {
            threads = Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the property " + PROPERTY + " must be a whole number: " + value, e);
        }
        size(threads);
    }
}
