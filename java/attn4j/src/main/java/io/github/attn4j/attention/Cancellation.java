// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.View;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Stops runs of attention from another thread, or at a deadline. Thread-safe; one may be given to any number of runs.
 * Once it is cancelled, each of them ends within a tile with a {@link java.util.concurrent.CancellationException}, as
 * do runs that start later; what they were to write is then unspecified.
 */
public final class Cancellation {
    private static final VarHandle INT =
        MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    /** Polled by native code. */
    private final ByteBuffer flag = ByteBuffer.allocateDirect(Integer.BYTES);
    private final View view = View.ofBuffer(flag, 0, View.INT32, true, new long[] {1});

    private Cancellation() {}

    /** {@return a cancellation that waits for {@link #cancel}} */
    public static Cancellation create() {
        return new Cancellation();
    }

    /**
     * A cancellation that happens by itself.
     *
     * @param time from now; zero or less is now
     * @return the cancellation
     */
    public static Cancellation withDeadline(Duration time) {
        Cancellation cancellation = new Cancellation();
        if (time.isNegative() || time.isZero()) {
            cancellation.cancel();
            return cancellation;
        }
        WeakReference<Cancellation> weak = new WeakReference<>(cancellation);
        Timer.EXECUTOR.schedule(() -> {
            Cancellation alive = weak.get();
            if (alive != null) {
                alive.cancel();
            }
        }, saturatedNanos(time), TimeUnit.NANOSECONDS);
        return cancellation;
    }

    /** Cancels; again does nothing. */
    public void cancel() {
        INT.setRelease(flag, 0, 1);
    }

    /** {@return whether it was cancelled} */
    public boolean isCancelled() {
        return (int) INT.getAcquire(flag, 0) != 0;
    }

    /** The flag, INT32 [1]. */
    View view() {
        return view;
    }

    private static long saturatedNanos(Duration time) {
        try {
            return time.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }

    /** One daemon thread, started with the first deadline. */
    private static final class Timer {
        static final ScheduledThreadPoolExecutor EXECUTOR = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "attn4j-deadlines");
            thread.setDaemon(true);
            return thread;
        });
    }
}
