// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Expect;
import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each bad input gives an exception with both values, and nothing is written. */
class BadInputTest {
    private final TensorScope scope = TensorScope.open();
    private final Attention attention = Attention.builder().build();
    private final Tensor q = Samples.normal(scope, 1, 2, 4, 3, 8);
    private final Tensor k = Samples.normal(scope, 2, 2, 2, 5, 8);
    private final Tensor v = Samples.normal(scope, 3, 2, 2, 5, 6);
    private final Tensor out = Samples.marked(scope, 2, 4, 3, 6);
    private final float[] before = out.toFloatArray();
    private final AttentionPlan plan = attention.plan(q, k, v, out);

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(before, out.toFloatArray());
        plan.close();
        scope.close();
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }

    @Test
    void operandsThatDoNotFitEachOther() {
        refused("kvHeads must divide heads: heads=12 kvHeads=5",
            () -> attention.apply(scope, zeros(1, 12, 2, 8), zeros(1, 5, 2, 8), zeros(1, 5, 2, 8)));
        refused("k.size(3)=7 headDim=8", () -> plan.run(q, zeros(2, 2, 5, 7), v, out));
        refused("v.size(2)=4 keys=5", () -> plan.run(q, k, zeros(2, 2, 4, 6), out));
        refused("v.size(1)=1 kvHeads=2", () -> plan.run(q, k, zeros(2, 1, 5, 6), out));
        refused("k.size(0)=1 batch=2", () -> plan.run(q, zeros(1, 2, 5, 8), v, out));
        refused("out.size(3)=8 valueDim=6", () -> plan.run(q, k, v, zeros(2, 4, 3, 8)));
        refused("out.size(1)=3 heads=4", () -> plan.run(q, k, v, zeros(2, 3, 3, 6)));
        refused("rank=3 expected=4", () -> plan.run(q.select(0, 0), k, v, out));
        refused("dtype=INT32 expected=FLOAT32", () -> plan.run(q, scope.zeros(DType.INT32, 2, 2, 5, 8), v, out));
        refused("stride(3)=3", () -> plan.run(zeros(2, 4, 8, 3).transpose(2, 3), k, v, out));
        refused("headDim=0", () -> attention.apply(scope, zeros(1, 1, 2, 0), zeros(1, 1, 2, 0), zeros(1, 1, 2, 1)));
    }

    @Test
    void operandsThatDoNotFitThePlan() {
        refused("queries=4 capacity=3", () -> plan.run(zeros(2, 4, 4, 8), k, v, zeros(2, 4, 4, 6)));
        refused("keys=6 capacity=5", () -> plan.run(q, zeros(2, 2, 6, 8), zeros(2, 2, 6, 6), out));
        refused("batch=3 capacity=2",
            () -> plan.run(zeros(3, 4, 3, 8), zeros(3, 2, 5, 8), zeros(3, 2, 5, 6), zeros(3, 4, 3, 6)));
        refused("q.size(1)=2 the plan's heads=4", () -> plan.run(zeros(2, 2, 3, 8), k, v, zeros(2, 2, 3, 6)));
        refused("q.stride(1)=8 planned=24", () -> plan.run(zeros(2, 3, 4, 8).transpose(1, 2), k, v, out));
        Tensor cu = scope.of(new long[] {0, 1}, 2);
        thrown(IllegalStateException.class, "not ragged", () -> plan.run(q, k, v, out, cu, cu));
        thrown(IllegalStateException.class, "is ragged",
            () -> Attention.builder().ragged().build().apply(scope, q, k, v));
    }

    @Test
    void outputsThatMayNotBeWritten() {
        refused("out is read-only", () -> plan.run(q, k, v, out.asReadOnly()));
        Tensor shared = zeros(2, 4, 3, 8);
        try (AttentionPlan same = attention.plan(shared, zeros(2, 2, 5, 8), zeros(2, 2, 5, 8), shared)) {
            refused("out must not overlap q", () -> same.run(shared, zeros(2, 2, 5, 8), zeros(2, 2, 5, 8), shared));
        }
        Tensor lse = zeros(2, 4, 3);
        refused("lse is read-only", () -> plan.run(q, k, v, out, lse.asReadOnly(), null, null));
        refused("lse.size(2)=4 queries=3", () -> plan.run(q, k, v, out, zeros(2, 4, 4), null, null));
        refused("lse must be contiguous", () -> plan.run(q, k, v, out, zeros(2, 3, 4).transpose(1, 2), null, null));
        refused("lse must not overlap out",
            () -> plan.run(q, k, v, out, out.reshape(144).slice(0, 0, 24).reshape(2, 4, 3), null, null));
    }

    @Test
    void lengthsOutOfRange() {
        refused("keyLengths[1]=6 keys=5", () -> plan.run(q, k, v, out, null, scope.of(new long[] {1, 6}, 2), null));
        refused("keyLengths[0]=-1", () -> plan.run(q, k, v, out, null, scope.of(new long[] {-1, 1}, 2), null));
        refused("keyLengths.size(0)=3", () -> plan.run(q, k, v, out, null, scope.of(new long[3], 3), null));
        refused("dtype=INT32 expected=INT64", () -> plan.run(q, k, v, out, null, null, scope.of(new int[2], 2)));
    }

    @Test
    void cumulativeLengthsOutOfRange() {
        Attention ragged = Attention.builder().ragged().build();
        Tensor rows = zeros(4, 2, 8);
        Tensor result = Samples.marked(scope, 4, 2, 8);
        Tensor cu = cu(0, 2, 4);
        try (AttentionPlan runs = ragged.plan(rows, rows, rows, result, cu, cu)) {
            refused("cuQueries[2]=5 q.size(0)=4", () -> runs.run(rows, rows, rows, result, cu(0, 2, 5), cu));
            refused("cuKeys[2]=9 k.size(0)=4", () -> runs.run(rows, rows, rows, result, cu, cu(0, 2, 9)));
            refused("cuQueries[1]=3 cuQueries[2]=2", () -> runs.run(rows, rows, rows, result, cu(0, 3, 2), cu));
            refused("cuQueries[0]=-1", () -> runs.run(rows, rows, rows, result, cu(-1, 3, 4), cu));
            refused("cuKeys.size(0)=2 cuQueries.size(0)=3", () -> runs.run(rows, rows, rows, result, cu, cu(0, 2)));
            refused("sequences=3 capacity=2", () -> runs.run(rows, rows, rows, result, cu(0, 1, 2, 3), cu(0, 1, 2, 3)));
            refused("cuQueries.size(0)=0", () -> runs.run(rows, rows, rows, result, cu(), cu()));
            refused("rank=4 expected=3", () -> runs.run(q, rows, rows, result, cu, cu));
            thrown(NullPointerException.class, "cuKeys", () -> runs.run(rows, rows, rows, result, cu, null));
        }
        assertArrayEquals(Samples.marked(scope, 4, 2, 8).toFloatArray(), result.toFloatArray());
    }

    @Test
    void nullAndClosed() {
        thrown(NullPointerException.class, "q must not be null", () -> plan.run(null, k, v, out));
        thrown(NullPointerException.class, "out must not be null", () -> plan.run(q, k, v, null));
        thrown(NullPointerException.class, "v must not be null", () -> attention.apply(scope, q, k, null));
        TensorScope other = TensorScope.open();
        Tensor closed = other.zeros(DType.FLOAT32, 2, 4, 3, 8);
        other.close();
        thrown(IllegalStateException.class, "TensorScope is closed", () -> plan.run(closed, k, v, out));
        AttentionPlan gone = attention.plan(q, k, v, out);
        gone.close();
        gone.close();
        thrown(IllegalStateException.class, "AttentionPlan is closed", () -> gone.run(q, k, v, out));
        thrown(IllegalStateException.class, "AttentionPlan is closed", gone::isa);
    }

    @Test
    void options() {
        refused("scale=NaN", () -> Attention.builder().scale(Float.NaN));
        refused("threads=-1", () -> Attention.builder().threads(-1));
        thrown(NullPointerException.class, "alignment", () -> Attention.builder().alignment(null));
        java.util.Arrays.stream(io.github.attn4j.internal.Isa.values()).filter(isa -> !isa.isSupported()).forEach(
            isa -> Expect.thrown(UnsupportedOperationException.class, isa.label(),
                () -> Attention.builder().isa(isa).build().plan(q, k, v, out)));
    }

    private Tensor cu(long... values) {
        return scope.of(values, values.length);
    }
}
