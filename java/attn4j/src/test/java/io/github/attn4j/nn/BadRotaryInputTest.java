// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each bad input gives an exception with both values, and nothing is written. */
class BadRotaryInputTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, 2, 3, 4, 8);
    private final Tensor out = Samples.marked(scope, 2, 3, 4, 8);
    private final RotaryTables tables = RotaryTables.builder(8).build(scope, 10);
    private final RotaryEmbedding rotary = RotaryEmbedding.builder(tables).build();

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(Samples.marked(scope, 2, 3, 4, 8).toFloatArray(), out.toFloatArray());
        scope.close();
    }

    @Test
    void positionsOutsideTheTables() {
        refused("start=7 rows=4 positions=10", () -> rotary.run(x, out, 7));
        refused("start=-1 rows=4 positions=10", () -> rotary.run(x, out, -1));
        refused("start[1]=7 rows=4 positions=10", () -> rotary.runFrom(x, out, scope.of(new long[] {0, 7}, 2)));
        refused("positionIds[0, 2]=10 positions=10",
            () -> rotary.run(x, out, scope.of(new long[] {0, 1, 10, 3}, 1, 4)));
        refused("positionIds[1, 0]=-1 positions=10",
            () -> rotary.run(x, out, scope.of(new long[] {0, 0, 0, 0, -1, 0, 0, 0}, 2, 4)));
    }

    @Test
    void tensorsThatDoNotFit() {
        refused("positionIds.size(0)=3 batch=2", () -> rotary.run(x, out, scope.zeros(DType.INT64, 3, 4)));
        refused("positionIds.size(1)=3 rows=4", () -> rotary.run(x, out, scope.zeros(DType.INT64, 1, 3)));
        refused("dtype=INT32 expected=INT64", () -> rotary.run(x, out, scope.zeros(DType.INT32, 1, 4)));
        refused("positionIds must have innermost stride 1: stride(1)=2",
            () -> rotary.run(x, out, scope.zeros(DType.INT64, 4, 2).transpose(0, 1)));
        refused("starts.size(0)=3 batch=2", () -> rotary.runFrom(x, out, scope.zeros(DType.INT64, 3)));
        refused("rotaryDim=8 headDim=6", () -> rotary.run(zeros(2, 3, 4, 6), zeros(2, 3, 4, 6), 0));
        refused("out.size(2)=3 x.size(2)=4", () -> rotary.run(x, zeros(2, 3, 3, 8), 0));
        refused("rank=3 expected=4", () -> rotary.run(x.select(0, 0), out, 0));
        refused("dtype=INT32", () -> rotary.run(scope.zeros(DType.INT32, 2, 3, 4, 8), out, 0));
        refused("out.dtype=FLOAT16 x.dtype=FLOAT32",
            () -> rotary.run(x, scope.zeros(DType.FLOAT16, 2, 3, 4, 8), 0));
        refused("stride(3)=4", () -> rotary.run(zeros(2, 3, 8, 4).transpose(2, 3), out, 0));
        refused("read-only", () -> rotary.run(x, out.asReadOnly(), 0));
        Tensor tall = zeros(3, 3, 4, 8);
        refused("out must not overlap x", () -> rotary.run(tall.slice(0, 0, 2), tall.slice(0, 1, 3), 0));
        Tensor shared = zeros(6, 4, 8);
        refused("out must not overlap cos", () -> RotaryEmbedding.builder(shared.select(0, 0).slice(1, 0, 4),
            shared.select(0, 1).slice(1, 0, 4)).build().run(x, shared.reshape(2, 3, 4, 8), 0));
        thrown(NullPointerException.class, "x must not be null", () -> rotary.run(null, out, 0));
        TensorScope other = TensorScope.open();
        Tensor closed = other.zeros(DType.FLOAT32, 2, 3, 4, 8);
        other.close();
        thrown(IllegalStateException.class, "TensorScope is closed", () -> rotary.run(closed, out, 0));
    }

    @Test
    void tablesThatDoNotFit() {
        refused("sin.size(0)=9 cos.size(0)=10", () -> RotaryEmbedding.builder(zeros(10, 4), zeros(9, 4)).build());
        refused("sin.size(1)=3 cos.size(1)=4", () -> RotaryEmbedding.builder(zeros(10, 4), zeros(10, 3)).build());
        refused("cos.stride(0)=4 sin.stride(0)=8",
            () -> RotaryEmbedding.builder(zeros(10, 4), zeros(10, 8).slice(1, 0, 4)).build());
        refused("cos.size(1)=0", () -> RotaryEmbedding.builder(zeros(10, 0), zeros(10, 0)).build());
        refused("rotaryDim=7", () -> RotaryTables.builder(7));
        refused("rotaryDim=0", () -> RotaryTables.builder(0));
        refused("base=1.0", () -> RotaryTables.builder(4).base(1));
        refused("positions=-1", () -> RotaryTables.builder(4).build(scope, -1));
        refused("firstPosition=-1", () -> RotaryTables.builder(4).firstPosition(-1));
        refused("rotaryDim=2", () -> RotaryTables.builder(2).scaling(RotaryScaling.ntk(2)).build(scope, 1));
        refused("factor=0.5", () -> RotaryScaling.linear(0.5));
        refused("factor=NaN", () -> RotaryScaling.ntk(Double.NaN));
        refused("originalPositions=0", () -> RotaryScaling.yarn(2, 0));
        refused("low=4.0 high=4.0", () -> RotaryScaling.llama3(2, 100).rotations(4, 4));
        refused("attentionFactor=0.0", () -> RotaryScaling.yarn(2, 100).attentionFactor(0));
        thrown(IllegalStateException.class, "YaRN", () -> RotaryScaling.linear(2).unrounded());
        thrown(IllegalStateException.class, "low=1.0 high=2.0", () -> RotaryScaling.linear(2).rotations(1, 2));
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }
}
