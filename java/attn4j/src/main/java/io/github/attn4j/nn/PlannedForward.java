// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The forward of a module with working memory of its own. Thread-safe; as it holds the memory of a run, runs wait for
 * each other: let each thread have its own. A forgotten one is freed some time after it is unreachable.
 *
 * @param <I> the inputs of a run
 */
public abstract sealed class PlannedForward<I> implements AutoCloseable
        permits Forward, TorchForward, GeneralizedForward {
    private final ReentrantLock lock = new ReentrantLock();
    private boolean closed;

    PlannedForward() {}

    /**
     * Runs.
     *
     * @param inputs the tensors; out may be the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other; nothing was written then, and
     *     nothing appended to a cache
     * @throws IllegalStateException if this is closed, nothing was loaded, a scope is closed, or a seed is missing in
     *     train()
     */
    public final void run(I inputs) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("this " + getClass().getSimpleName() + " is closed");
            }
            execute(inputs);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Frees the memory. Does nothing the second time.
     *
     * @throws IllegalStateException while a run is under way
     */
    @Override
    public final void close() {
        if (!lock.tryLock()) {
            throw new IllegalStateException("this " + getClass().getSimpleName()
                + " is in use: a run is under way, close it after it");
        }
        try {
            closed = true;
            free();
        } finally {
            lock.unlock();
        }
    }

    /** A run; no other is under way. */
    abstract void execute(I in);

    /** Gives all memory back; may come twice. */
    abstract void free();
}
