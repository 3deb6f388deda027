// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.onnx;

import static io.github.attn4j.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the standard's own cases do not show: other types, both forms, what is refused. */
class OnnxTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor q = Samples.normal(scope, 1, 2, 3, 5, 8);
    private final Tensor k = Samples.normal(scope, 2, 2, 3, 7, 8);
    private final OnnxAttention plain = OnnxAttention.builder().build();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void bothFormsGiveTheSame() {
        Tensor q3 = packed(q);
        Tensor k3 = packed(k);
        OnnxAttention.Outputs four = plain.apply(scope, q, k, k);
        OnnxAttention heads = OnnxAttention.builder().qNumHeads(3).kvNumHeads(3).build();
        OnnxAttention.Outputs three = heads.apply(scope, q3, k3, k3);
        assertArrayEquals(packed(four.y()).toFloatArray(), three.y().toFloatArray());
        assertEquals(k.shape(), three.presentKey().shape());
        assertSame(k, four.presentKey());
    }

    @Test
    void aShortMaskHidesTheRest() {
        float[] expected = plain.apply(scope, q, k.slice(2, 0, 4), k.slice(2, 0, 4)).y().toFloatArray();
        Tensor bool = scope.of(new boolean[] {true, true, true, true}, 4);
        assertArrayEquals(expected, masked(bool));
        assertArrayEquals(expected, masked(scope.zeros(DType.FLOAT32, 5, 4)));
        assertArrayEquals(expected, masked(scope.zeros(DType.FLOAT16, 1, 1, 4)));
        float[] first = plain.apply(scope, q, k.slice(2, 0, 1), k.slice(2, 0, 1)).y().toFloatArray();
        assertArrayEquals(first, masked(scope.zeros(DType.FLOAT32, 1)));
    }

    /** Each mode's output is that of the one before it with one step more. */
    @Test
    void theFourModesAreOneAfterTheOther() {
        float[] bias = Samples.normal(5, 5 * 7);
        bias[3] = Float.NEGATIVE_INFINITY;
        Tensor mask = scope.of(bias, 5, 7);
        float[][] modes = new float[4][];
        for (int mode = 0; mode < 4; mode++) {
            OnnxAttention operator = OnnxAttention.builder().softcap(0.7f).causal().qkMatmulOutputMode(mode).build();
            modes[mode] = operator.apply(scope, OnnxAttention.inputs(q, k, k).attnMask(mask)).qkMatmulOutput()
                .toFloatArray();
        }
        for (int row = 0; row < 2 * 3 * 5; row++) {
            double sum = 0;
            for (int j = 0; j < 7; j++) {
                int at = row * 7 + j;
                double dot = 0;
                for (int d = 0; d < 8; d++) {
                    dot += (double) q.at(row / 15, row / 5 % 3, row % 5, d) * k.at(row / 15, row / 5 % 3, j, d);
                }
                assertEquals(dot / Math.sqrt(8), modes[0][at], 1e-5);
                assertEquals(0.7 * Math.tanh(modes[0][at] / 0.7), modes[1][at], 1e-5);
                boolean hidden = j > row % 5 || bias[row % 5 * 7 + j] == Float.NEGATIVE_INFINITY;
                assertEquals(hidden ? Float.NEGATIVE_INFINITY : modes[1][at] + bias[row % 5 * 7 + j], modes[2][at],
                    1e-5);
                sum += Math.exp(modes[2][at]);
            }
            for (int j = 0; j < 7; j++) {
                assertEquals(Math.exp(modes[2][row * 7 + j]) / sum, modes[3][row * 7 + j], 1e-5);
            }
        }
    }

    @Test
    void whatExcludesEachOther() {
        Tensor lengths = scope.of(new long[] {1, 2}, 2);
        refused("past_value=null", () -> plain.apply(scope, OnnxAttention.inputs(q, k, k).past(k, null)));
        refused("exclude each other",
            () -> plain.apply(scope, OnnxAttention.inputs(q, k, k).past(k, k).nonpadKvSeqlen(lengths)));
        refused("nonpad_kv_seqlen[1]=8 kv_sequence=7", () -> plain.apply(scope,
            OnnxAttention.inputs(q, k, k).nonpadKvSeqlen(scope.of(new long[] {1, 8}, 2))));
        refused("q_num_heads=0", () -> plain.apply(scope, packed(q), packed(k), packed(k)));
        refused("Q.size(1)=3 q_num_heads=4", () -> OnnxAttention.builder().qNumHeads(4).build().apply(scope, q, k, k));
        refused("the same rank", () -> plain.apply(scope, q, packed(k), packed(k)));
        refused("total_sequence=7", () -> masked(scope.zeros(DType.BOOL, 8)));
        refused("attn_mask=INT64", () -> masked(scope.zeros(DType.INT64, 7)));
        refused("qk_matmul_output_mode=4", () -> OnnxAttention.builder().qkMatmulOutputMode(4));
        refused("softmax_precision=2", () -> OnnxAttention.builder().softmaxPrecision(2));
    }

    @Test
    void rotaryTurnsBothFormsOfAnyType() {
        Tensor cos = Samples.normal(scope, 3, 9, 4);
        Tensor sin = Samples.normal(scope, 4, 9, 4);
        Tensor ids = scope.of(new long[] {0, 1, 2, 3, 4, 8, 7, 6, 5, 4}, 2, 5);
        float[] four = OnnxRotaryEmbedding.builder().build().apply(scope, q, cos, sin, ids).toFloatArray();
        OnnxRotaryEmbedding heads = OnnxRotaryEmbedding.builder().numHeads(3).build();
        Tensor three = heads.apply(scope, packed(q), cos, sin, ids);
        assertArrayEquals(four, three.reshape(2, 5, 3, 8).transpose(1, 2).toFloatArray());
        Tensor half = heads.apply(scope, packed(q).cast(scope, DType.BFLOAT16), cos.cast(scope, DType.BFLOAT16),
            sin.cast(scope, DType.BFLOAT16), ids);
        assertArrayEquals(three.toFloatArray(), half.toFloatArray(), 0.1f);
        refused("cos_cache must be", () -> heads.apply(scope, packed(q), sin.slice(1, 0, 2), sin, ids));
        OnnxRotaryEmbedding wide = OnnxRotaryEmbedding.builder().rotaryEmbeddingDim(10).build();
        refused("rotary_embedding_dim=10 head_size=8", () -> wide.apply(scope, q, cos, sin, ids));
        refused("positionIds[0, 0]=9 positions=9",
            () -> heads.apply(scope, packed(q), cos, sin,
                scope.of(new long[] {9, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 2, 5)));
    }

    @Test
    void scatterWritesInPlaceToo() {
        Tensor cache = scope.zeros(DType.FLOAT16, 2, 4, 1);
        Tensor update = scope.zeros(DType.FLOAT16, 2, 3, 1).copyFrom(new float[] {1, 2, 3, 4, 5, 6});
        Tensor first = scope.of(new long[] {1, 3}, 2);
        OnnxTensorScatter linear = OnnxTensorScatter.builder().build();
        refused("write_indices[1]=3 sequence=3 max_sequence=4", () -> linear.run(cache, update, first));
        refused("write_indices[0]=" + Long.MAX_VALUE,
            () -> linear.run(cache, update, scope.of(new long[] {Long.MAX_VALUE, 0}, 2)));
        refused("axis=0 rank=3", () -> OnnxTensorScatter.builder().axis(0).build().run(cache, update, first));
        refused("update must fit", () -> linear.run(update, cache, null));
        refused("read-only", () -> linear.run(cache.asReadOnly(), update, null));
        assertArrayEquals(new float[8], cache.toFloatArray());
        OnnxTensorScatter.builder().circular().build().run(cache, update, first);
        assertArrayEquals(new float[] {0, 1, 2, 3, 5, 6, 0, 4}, cache.toFloatArray());
        linear.run(cache, update.slice(1, 0, 1), null);
        assertArrayEquals(new float[] {1, 1, 2, 3, 4, 6, 0, 4}, cache.toFloatArray());
    }

    private float[] masked(Tensor mask) {
        return plain.apply(scope, OnnxAttention.inputs(q, k, k).attnMask(mask)).y().toFloatArray();
    }

    private Tensor packed(Tensor heads) {
        Tensor rows = scope.zeros(DType.FLOAT32, 2, heads.size(2), 3, 8).copyFrom(heads.transpose(1, 2));
        return rows.reshape(2, heads.size(2), 24);
    }
}
