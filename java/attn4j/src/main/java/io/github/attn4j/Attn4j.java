// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j;

import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.OpenBlas;
import io.github.attn4j.internal.Threads;
import io.github.attn4j.internal.Version;

/**
 * The library as a whole: version, instruction set, threads. Thread-safe.
 *
 * <p>System properties, read when the library is loaded: {@code attn4j.threads} (size of the pool), {@code
 * attn4j.cache} (folder to unpack the native library to), {@code attn4j.library} and {@code attn4j.openblas} (library
 * files to use instead of the packaged ones). The environment variable {@code ATTN4J_ISA} chooses the instruction set.
 */
public final class Attn4j {
    private Attn4j() {}

    /** {@return the version of this library} */
    public static String version() {
        return Version.VERSION;
    }

    /**
     * The instruction set that calls run on: scalar, avx2, avx512, avx512bf16, amx, neon or neonbf16.
     *
     * @return its name
     * @throws IllegalArgumentException if the environment variable ATTN4J_ISA names none
     * @throws UnsupportedOperationException if this machine lacks the one it names
     */
    public static String isa() {
        return Isa.resolveDefault().label();
    }

    /**
     * The size of the library's own pool of daemon threads, the calling thread included: at first the number of
     * physical cores this process may use.
     *
     * @return the number of threads
     */
    public static int threads() {
        return Threads.size();
    }

    /**
     * Resizes the pool, for calls that start later.
     *
     * @param threads the number of threads, at least 1
     * @throws IllegalArgumentException if it is less
     */
    public static void threads(int threads) {
        Threads.size(threads);
    }

    /** Ends the pool's threads once running calls are done. A later call starts them again. */
    public static void shutdownThreads() {
        Threads.shutdown();
    }

    /**
     * OpenBLAS as it describes itself, with the core it chose. Opens it, which sets it to one thread for the whole
     * process: the library's own pool shares out the work. Linear layers open it only where they need it.
     *
     * @return the description
     * @throws UnsupportedOperationException if there is no OpenBLAS; the message names the artifact
     */
    public static String openBlas() {
        return OpenBlas.config();
    }
}
