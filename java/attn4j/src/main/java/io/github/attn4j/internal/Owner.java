// SPDX-License-Identifier: Apache-2.0
// Thread-safe. The state is the number of native calls under way, or CLOSED; it never leaves CLOSED.
package io.github.attn4j.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.function.BooleanSupplier;

/**
 * Owns something native that must not go away under a call: a scope's memory, a plan, or a wrapped buffer. Every native
 * call is bracketed by {@link #acquire} and {@link #release}; {@link #close} refuses while one is under way, and an
 * owner that is forgotten is freed by a Cleaner.
 */
public final class Owner {
    private static final int CLOSED = -1;
    private static final Cleaner CLEANER = Cleaner.create();
    private static final VarHandle CALLS;

    static {
        try {
            CALLS = MethodHandles.lookup().findVarHandle(Owner.class, "calls", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final Cleaner.Cleanable cleanable;
    private final Object kept;
    private final BooleanSupplier alive;
    private volatile int calls;

    private Owner(String name, Runnable free, Object kept, BooleanSupplier alive) {
        this.name = name;
        this.kept = kept;
        this.alive = alive;
        this.cleanable = free == null ? null : CLEANER.register(this, free);
    }

    /**
     * An owner that is closed by hand or by the Cleaner.
     *
     * @param name what messages call it, such as "TensorScope"
     * @param free frees it, once; must not refer to the owner
     */
    public static Owner of(String name, Runnable free) {
        return new Owner(name, free, null, null);
    }

    /**
     * Keeps an object of the user's alive and is never closed.
     *
     * @param kept the object that owns the memory
     * @param alive whether the memory is still there, null if it always is
     */
    static Owner keeping(Object kept, BooleanSupplier alive) {
        return new Owner("wrapped memory", null, kept, alive);
    }

    /** Begins a call; each must be followed by one {@link #release}. IllegalStateException if closed. */
    public void acquire() {
        if (cleanable == null) {
            if (alive != null && !alive.getAsBoolean()) {
                throw new IllegalStateException("the arena of the wrapped MemorySegment is closed");
            }
            return;
        }
        int now;
        do {
            now = calls;
            if (now == CLOSED) {
                throw new IllegalStateException("this " + name + " is closed");
            }
        } while (!CALLS.weakCompareAndSet(this, now, now + 1));
    }

    /** Ends a call. */
    public void release() {
        if (cleanable != null) {
            CALLS.getAndAdd(this, -1);
        }
        Reference.reachabilityFence(kept);
    }

    /** Frees it; does nothing the second time. IllegalStateException while a call is under way. */
    public void close() {
        int now = (int) CALLS.compareAndExchange(this, 0, CLOSED);
        if (now > 0) {
            throw new IllegalStateException("this " + name + " is in use: calls under way=" + now
                + ", close it after them");
        }
        if (now == 0) {
            cleanable.clean();
        }
    }

    /** Whether it was closed. */
    public boolean isClosed() {
        return calls == CLOSED;
    }
}
