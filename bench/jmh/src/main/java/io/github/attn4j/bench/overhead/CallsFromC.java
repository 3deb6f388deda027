// SPDX-License-Identifier: Apache-2.0
// The boundary: what a planned call costs more from Java than from C. Both are made in one process, on the same
// operands, in short turns, as the difference is far below what two processes or two seconds differ by.
package io.github.attn4j.bench.overhead;

import com.sun.management.ThreadMXBean;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionPlan;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Optional;

/** Calls of the C interface in a loop in C, by a library of the benchmark's own. */
public final class CallsFromC {
    /** The system property with the path of the library. */
    public static final String PROPERTY = "attn4j.bench.calls";

    private static final int TURNS = 2001;
    private static final long TURN_NANOSECONDS = 200_000;
    private static final long COUNTED = 100_000;
    private static final long WARMUP_NANOSECONDS = 500_000_000;

    private CallsFromC() {}

    /**
     * What a call of one thread costs beside its work.
     *
     * @param nanoseconds longer than from C
     * @param bytes allocated on the Java heap
     */
    public record Boundary(double nanoseconds, double bytes) {}

    /** {@return the boundary of the smallest planned call; empty without the library} */
    public static Optional<Boundary> boundary(AttentionOperands in) {
        String library = System.getProperty(PROPERTY);
        if (library == null) {
            return Optional.empty();
        }
        System.load(library);
        AttentionShape s = in.shape();
        long fromC = plan(s.batch(), s.heads(), s.kvHeads(), s.queries(), s.keys(), s.headDim());
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = scope.of(in.q(), s.queryShape());
            Tensor k = scope.of(in.k(), s.keyShape());
            Tensor v = scope.of(in.v(), s.keyShape());
            Tensor out = scope.zeros(DType.FLOAT32, s.queryShape());
            try (AttentionPlan plan = Attention.builder().threads(1).build().plan(q, k, v, out)) {
                Calls java = calls -> {
                    for (long i = 0; i < calls; i++) {
                        plan.run(q, k, v, out);
                    }
                };
                double nanoseconds = difference(java, calls -> require(run(fromC, calls, s.batch(), s.queries(),
                        s.keys(), address(q), address(k), address(v), address(out))));
                return Optional.of(new Boundary(nanoseconds, allocated(java)));
            }
        } finally {
            free(fromC);
        }
    }

    /** The median over turns, in which who begins changes. */
    private static double difference(Calls java, Calls c) {
        long calls = 1;
        for (long begin = System.nanoTime(); System.nanoTime() - begin < WARMUP_NANOSECONDS;) {
            if (time(java, calls) + time(c, calls) < TURN_NANOSECONDS) {
                calls *= 2;
            }
        }
        double[] differences = new double[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            long first = time(turn % 2 == 0 ? java : c, calls);
            long second = time(turn % 2 == 0 ? c : java, calls);
            differences[turn] = (double) (turn % 2 == 0 ? first - second : second - first) / calls;
        }
        Arrays.sort(differences);
        return differences[TURNS / 2];
    }

    /** Bytes of a call, counted for this thread alone: the rate that JMH gives holds what its harness allocates. */
    private static double allocated(Calls java) {
        ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = thread.getCurrentThreadAllocatedBytes();
        java.make(COUNTED);
        return (double) (thread.getCurrentThreadAllocatedBytes() - before) / COUNTED;
    }

    private static long time(Calls calls, long count) {
        long begin = System.nanoTime();
        calls.make(count);
        return System.nanoTime() - begin;
    }

    private static void require(int status) {
        if (status != 0) {
            throw new IllegalStateException("the call from C failed: status=" + status);
        }
    }

    private static long address(Tensor tensor) {
        return View.of(tensor, "tensor").address;
    }

    /** So many calls. */
    @FunctionalInterface
    private interface Calls {
        void make(long count);
    }

    private static native long plan(long batch, long heads, long kvHeads, long queries, long keys, long headDim);

    private static native int run(long plan, long calls, long batch, long queries, long keys, long q, long k, long v,
                                  long out);

    private static native void free(long plan);
}
