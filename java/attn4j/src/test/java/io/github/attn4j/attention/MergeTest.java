// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MergeTest {
    private static final int[] CUTS = {0, 1, 30, 30, 97};

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void equalsAttentionOverAllKeys(Isa isa) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 2, 4, 19, 24);
            Tensor k = Samples.normal(scope, 2, 2, 2, 97, 24);
            Tensor v = Samples.normal(scope, 3, 2, 2, 97, 33);
            Tensor sinks = Samples.normal(scope, 4, 4);
            Attention attention = Attention.builder().isa(isa).build();
            for (boolean strided : new boolean[] {false, true}) {
                List<Tensor> outs = new ArrayList<>();
                List<Tensor> lses = new ArrayList<>();
                for (int p = 0; p + 1 < CUTS.length; p++) {
                    outs.add(result(scope, strided && p == 2));
                    lses.add(Samples.marked(scope, 2, 4, 19));
                    attention.run(AttentionInputs.of(q, k.slice(2, CUTS[p], CUTS[p + 1]),
                        v.slice(2, CUTS[p], CUTS[p + 1]), outs.get(p)).lse(lses.get(p)));
                }
                Tensor out = result(scope, strided);
                Tensor lse = Samples.marked(scope, 2, 4, 19);
                Merge merge = Merge.builder().isa(isa).build();
                merge.run(outs, lses, sinks, out, lse);
                AttentionInputs in = AttentionInputs.of(q, null, null, out).sinks(sinks);
                WholeKeys.of(attention, in, k, v, 0).assertEqual(out, lse);
                merge.run(outs, lses, out);
                WholeKeys.of(attention, in.sinks(null), k, v, 0).assertEqual(out, null);
                // In place of the first, to the bit.
                merge.run(outs, lses, null, outs.get(0), lses.get(0));
                assertArrayEquals(out.toFloatArray(), outs.get(0).toFloatArray());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void whatSawNoKeyIsNotLookedAt(Isa isa) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor nan = filled(scope, Float.NaN, 1, 2, 3, 5);
            Tensor out = Samples.normal(scope, 1, 1, 2, 3, 5);
            Tensor none = filled(scope, Float.NEGATIVE_INFINITY, 1, 2, 3);
            Tensor lse = filled(scope, 2, 1, 2, 3);
            Merge merge = Merge.builder().isa(isa).build();
            Tensor result = Samples.marked(scope, 1, 2, 3, 5);
            Tensor log = Samples.marked(scope, 1, 2, 3);
            merge.run(List.of(nan, out, nan), List.of(none, lse, none), null, result, log);
            assertArrayEquals(out.toFloatArray(), result.toFloatArray(), 1e-6f);
            assertArrayEquals(lse.toFloatArray(), log.toFloatArray());
            merge.run(List.of(nan), List.of(none), scope.of(new float[] {7, -2}, 2), result, log);
            assertArrayEquals(new float[30], result.toFloatArray());
            assertArrayEquals(new float[] {7, 7, 7, -2, -2, -2}, log.toFloatArray(), 1e-6f);
            merge.run(List.of(), List.of(), null, Samples.marked(scope, 1, 2, 3, 5), log);
            assertEquals(Float.NEGATIVE_INFINITY, log.at(0, 1, 2));
        }
    }

    @Test
    void raggedResultsAreABatchOfOne() {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 7, 2, 8);
            Tensor k = Samples.normal(scope, 2, 20, 2, 8);
            Tensor cuQueries = scope.of(new long[] {0, 3, 7}, 3);
            Attention attention = Attention.builder().ragged().build();
            List<Tensor> outs = new ArrayList<>();
            List<Tensor> lses = new ArrayList<>();
            for (long[] keys : new long[][] {{0, 5, 11}, {0, 9, 9}}) {
                Tensor part = k.slice(0, outs.isEmpty() ? 0 : 11, outs.isEmpty() ? 11 : 20);
                Tensor out = scope.zeros(DType.FLOAT32, 7, 2, 8);
                Tensor lse = scope.zeros(DType.FLOAT32, 2, 7);
                attention.run(AttentionInputs.of(q, part, part, out).cumulative(cuQueries, scope.of(keys, 3)).lse(lse));
                outs.add(out.transpose(0, 1).reshape(1, 2, 7, 8));
                lses.add(lse.reshape(1, 2, 7));
            }
            Tensor merged = Merge.builder().build().apply(scope, outs, lses);
            // The first sequence has keys 0 to 4 and 11 to 19, the second 5 to 10.
            Tensor first = scope.zeros(DType.FLOAT32, 1, 2, 14, 8);
            first.slice(2, 0, 5).copyFrom(heads(k.slice(0, 0, 5)));
            first.slice(2, 5, 14).copyFrom(heads(k.slice(0, 11, 20)));
            Attention plain = Attention.builder().build();
            WholeKeys.of(plain, AttentionInputs.of(heads(q.slice(0, 0, 3)), null, null, null), first, first, 0)
                .assertEqual(merged.slice(2, 0, 3), null);
            Tensor second = heads(k.slice(0, 5, 11));
            WholeKeys.of(plain, AttentionInputs.of(heads(q.slice(0, 3, 7)), null, null, null), second, second, 0)
                .assertEqual(merged.slice(2, 3, 7), null);
        }
    }

    private static Tensor heads(Tensor rows) {
        return rows.transpose(0, 1).reshape(1, rows.size(1), rows.size(0), rows.size(2));
    }

    private static Tensor result(TensorScope scope, boolean strided) {
        return strided ? Samples.marked(scope, 2, 19, 4, 33).transpose(1, 2) : Samples.marked(scope, 2, 4, 19, 33);
    }

    private static Tensor filled(TensorScope scope, float value, long... sizes) {
        Tensor tensor = scope.zeros(DType.FLOAT32, sizes);
        float[] values = new float[(int) tensor.elements()];
        Arrays.fill(values, value);
        return tensor.copyFrom(values);
    }
}
