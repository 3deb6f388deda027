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
class BadLayerInputTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, 3, 4);
    private final Tensor out = Samples.marked(scope, 3, 4);
    private final Tensor four = Samples.normal(scope, 2, 4);
    private final Linear linear = Linear.builder(Samples.normal(scope, 3, 4, 4)).bias(four).build();
    private final LayerNorm norm = LayerNorm.builder(four, four).build();

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(Samples.marked(scope, 3, 4).toFloatArray(), out.toFloatArray());
        scope.close();
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }

    @Test
    void linearRules() {
        refused("x.size(1)=5 inFeatures=4", () -> linear.run(zeros(3, 5), out));
        refused("out.size(0)=2 x.size(0)=3", () -> linear.run(x, zeros(2, 4)));
        refused("residual.size(1)=3 out.size(1)=4", () -> linear.run(x, zeros(3, 3), out));
        refused("out must not overlap x", () -> linear.run(x, x));
        refused("out must not overlap residual", () -> linear.run(x, out, out));
        refused("read-only", () -> linear.run(x, out.asReadOnly()));
        refused("bias.size(0)=4 outFeatures=5", () -> Linear.builder(zeros(5, 4)).bias(four).build());
        refused("rank=1 expected=2", () -> Linear.builder(four).build());
        thrown(NullPointerException.class, "weight", () -> Linear.builder(null));
        refused("a BFLOAT16 weight must lie as OUT_IN: layout=IN_OUT", () -> Linear
            .builder(scope.zeros(DType.BFLOAT16, 4, 4)).layout(WeightLayout.IN_OUT).build());
        refused("dtype=BFLOAT16 expected=FLOAT32", () -> linear.run(scope.zeros(DType.BFLOAT16, 3, 4), out));
        refused("dtype=FLOAT16 expected=FLOAT32", () -> Linear.builder(scope.zeros(DType.BFLOAT16, 4, 4)).build()
            .run(scope.zeros(DType.FLOAT16, 3, 4), out));
        thrown(NullPointerException.class, "x must not be null", () -> linear.run(null, out));
        Tensor tall = zeros(7, 4);
        refused("out must not overlap x", () -> linear.run(tall.slice(0, 0, 4), tall.slice(0, 3, 7)));
    }

    @Test
    void layerNormRules() {
        refused("x.size(1)=5 gamma.size(0)=4", () -> norm.run(zeros(3, 5), out));
        refused("beta.size(0)=3 gamma.size(0)=4", () -> LayerNorm.builder(four, zeros(3)).build());
        refused("epsilon=0.0", () -> LayerNorm.builder(four, four).epsilon(0));
        Tensor tall = zeros(4, 4);
        refused("out must not overlap x", () -> norm.run(tall.slice(0, 0, 3), tall.slice(0, 1, 4)));
        refused("out must not overlap residual", () -> norm.run(x, tall.slice(0, 0, 3), tall.slice(0, 1, 4)));
    }

    @Test
    void embeddingRules() {
        Embedding embedding = Embedding.builder(zeros(5, 4)).build();
        refused("ids[1]=5", () -> embedding.run(scope.of(new int[] {0, 5, 1}, 3), out));
        refused("ids[2]=-1", () -> embedding.runAdding(scope.of(new int[] {0, 4, -1}, 3), out));
        refused("dtype=INT64 expected=INT32", () -> embedding.run(scope.of(new long[3], 3), out));
        refused("out.size(0)=3 ids.size(0)=2", () -> embedding.run(scope.of(new int[2], 2), out));
    }

    @Test
    void poolingRules() {
        MeanPool pool = MeanPool.builder().build();
        refused("cu[3]=4 x.size(0)=3", () -> pool.run(x, scope.of(new long[] {0, 1, 2, 4}, 4), out));
        refused("cu[1]=2 cu[2]=1", () -> pool.run(x, scope.of(new long[] {0, 2, 1, 3}, 4), out));
        refused("cu.size(0)=0", () -> pool.run(x, scope.of(new long[0], 0), out));
        refused("out.size(0)=3 cu.size(0) - 1=1", () -> pool.run(x, scope.of(new long[] {0, 3}, 2), out));
        refused("stride(0)=2", () -> pool.run(x, scope.zeros(DType.INT64, 4, 2).select(1, 0), out));
    }

    @Test
    void otherRules() {
        refused("b.size(1)=3 a.size(1)=4", () -> Add.builder().build().run(x, zeros(3, 3), out));
        refused("stride(1)=3", () -> Normalize.builder().build().run(zeros(4, 3).transpose(0, 1), out));
        refused("threads=-2", () -> Activation.GELU.run(x, out, -2));
        TensorScope other = TensorScope.open();
        Tensor closed = other.zeros(DType.FLOAT32, 3, 4);
        other.close();
        thrown(IllegalStateException.class, "TensorScope is closed", () -> linear.run(closed, out));
        thrown(IllegalStateException.class, "TensorScope is closed", () -> norm.run(x, closed, out));
    }
}
