// SPDX-License-Identifier: Apache-2.0
// Scenario overhead: the smallest planned calls, so that what is left is the way from Java into native code and back.
// With -prof gc, gc.alloc.rate.norm shows what a call allocates; it must stay below 0.01 B/op.
package io.github.attn4j.bench.overhead;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionPlan;
import io.github.attn4j.nn.Add;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The cost of a call with next to no work in it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class Boundary {
    private TensorScope scope;
    private AttentionPlan plan;
    private AttentionPlan ragged;
    private Add add;
    private Tensor one;
    private Tensor out;
    private Tensor row;
    private Tensor rowOut;
    private Tensor flat;
    private Tensor flatOut;
    private Tensor cu;

    /** Creates a state for JMH. */
    public Boundary() {}

    /** One query, one key, one head of one element. */
    @Setup
    public void setup() {
        scope = TensorScope.open();
        one = scope.zeros(DType.FLOAT32, 1, 1, 1, 1);
        out = scope.zeros(DType.FLOAT32, 1, 1, 1, 1);
        plan = Attention.builder().threads(1).build().plan(one, one, one, out);
        flat = scope.zeros(DType.FLOAT32, 1, 1, 1);
        flatOut = scope.zeros(DType.FLOAT32, 1, 1, 1);
        cu = scope.of(new long[] {0, 1}, 2);
        ragged = Attention.builder().ragged().threads(1).build().plan(flat, flat, flat, flatOut, cu, cu);
        row = scope.zeros(DType.FLOAT32, 1, 1);
        rowOut = scope.zeros(DType.FLOAT32, 1, 1);
        add = Add.builder().threads(1).build();
    }

    /** Frees it. */
    @TearDown
    public void tearDown() {
        plan.close();
        ragged.close();
        scope.close();
    }

    /** The smallest planned attention. */
    @Benchmark
    public void plannedAttention() {
        plan.run(one, one, one, out);
    }

    /** The smallest planned ragged attention. */
    @Benchmark
    public void plannedRaggedAttention() {
        ragged.run(flat, flat, flat, flatOut, cu, cu);
    }

    /** The smallest layer. */
    @Benchmark
    public void add() {
        add.run(row, row, rowOut);
    }
}
