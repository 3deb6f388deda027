// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SegmentedAttentionTest {
    private final List<Isa> isas = Samples.isas().toList();

    /** Any options, cut anywhere, are attention over the whole. */
    @Property(tries = 400)
    void equalsAttentionOverAllKeys(@ForAll long seed) {
        Random random = new Random(seed);
        try (TensorScope scope = TensorScope.open()) {
            Attention attention = RandomOptions.attention(random, isas.get(random.nextInt(isas.size())));
            int batch = 1 + random.nextInt(2);
            int kvHeads = 1 + random.nextInt(2);
            int heads = kvHeads * (1 + random.nextInt(3));
            int queries = random.nextInt(4) == 0 ? 40 : 1 + random.nextInt(5);
            int headDim = 1 + random.nextInt(40);
            int valueDim = 1 + random.nextInt(40);
            int keys = random.nextInt(90);
            Tensor q = Samples.normal(scope, seed + 1, batch, heads, queries, headDim);
            Tensor k = Samples.normal(scope, seed + 2, batch, kvHeads, keys, headDim);
            Tensor v = Samples.normal(scope, seed + 3, batch, kvHeads, keys, valueDim);
            Tensor out = random.nextBoolean() ? Samples.marked(scope, batch, heads, queries, valueDim)
                : Samples.marked(scope, batch, queries, heads, valueDim).transpose(1, 2);
            Tensor lse = random.nextBoolean() ? Samples.marked(scope, batch, heads, queries) : null;
            AttentionInputs in = RandomOptions.inputs(random, scope, q, out, keys).lse(lse);
            if (random.nextBoolean()) {
                in.keyLengths(RandomOptions.integers(random, scope, batch, 0, keys));
            }
            if (random.nextBoolean()) {
                in.offsets(RandomOptions.integers(random, scope, batch, -queries - 3, keys + 3));
            }
            try (SegmentedAttention segmented = new SegmentedAttention(attention)) {
                for (int call = 0; call < 2; call++) {
                    segmented.run(in, cut(random, scope, k, v));
                    WholeKeys.of(attention, in, k, v, 0).assertEqual(out, lse);
                }
            }
        }
    }

    @Test
    void manySegmentsAreMergedInBetween() {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 1, 2, 3, 16);
            Tensor k = Samples.normal(scope, 2, 1, 1, 200, 16);
            Tensor out = Samples.marked(scope, 1, 2, 3, 16);
            Tensor lse = Samples.marked(scope, 1, 2, 3);
            List<KeyValues> segments = new ArrayList<>();
            for (int j = 0; j < 200; j++) {
                segments.add(new KeyValues(k.slice(2, j, j + 1), k.slice(2, j, j + 1)));
            }
            AttentionInputs in = AttentionInputs.of(q, null, null, out).lse(lse)
                .sinks(scope.of(new float[] {1, 2}, 2));
            Attention attention = Attention.builder().causal().build();
            try (SegmentedAttention segmented = new SegmentedAttention(attention)) {
                segmented.run(in, segments);
                WholeKeys.of(attention, in, k, k, 0).assertEqual(out, lse);
            }
        }
    }

    @Test
    void noKeysGiveZeros() {
        try (TensorScope scope = TensorScope.open();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor q = Samples.normal(scope, 1, 2, 2, 3, 8);
            Tensor out = Samples.marked(scope, 2, 2, 3, 5);
            Tensor lse = Samples.marked(scope, 2, 2, 3);
            KeyValues empty = new KeyValues(scope.zeros(DType.FLOAT32, 2, 1, 0, 8),
                scope.zeros(DType.FLOAT32, 2, 1, 0, 5));
            for (List<KeyValues> segments : List.of(List.<KeyValues>of(), List.of(empty, empty))) {
                segmented.run(AttentionInputs.of(q, null, null, out).lse(lse), segments);
                assertArrayEquals(new float[60], out.toFloatArray());
                assertEquals(Float.NEGATIVE_INFINITY, lse.at(1, 1, 2));
            }
            segmented.run(AttentionInputs.of(q, null, null, out).lse(lse).sinks(scope.of(new float[] {3, 4}, 2)),
                List.of(empty));
            assertArrayEquals(new float[60], out.toFloatArray());
            assertEquals(4, lse.at(1, 1, 2), 1e-6);
        }
    }

    @Test
    void hiddenKeysChangeNothing() {
        Attention attention = Attention.builder().causal().window(20, 0).build();
        try (TensorScope scope = TensorScope.open(); SegmentedAttention segmented = new SegmentedAttention(attention)) {
            Tensor q = Samples.normal(scope, 1, 1, 2, 3, 8);
            Tensor k = Samples.normal(scope, 2, 1, 1, 60, 8);
            Tensor out = Samples.marked(scope, 1, 2, 3, 8);
            Tensor offsets = scope.of(new long[] {40}, 1);
            List<KeyValues> segments = new ArrayList<>();
            for (int from = 0; from < 60; from += 15) {
                segments.add(new KeyValues(k.slice(2, from, from + 15), k.slice(2, from, from + 15)));
            }
            AttentionInputs in = AttentionInputs.of(q, null, null, out).offsets(offsets);
            segmented.run(in, segments);
            float[] before = out.toFloatArray();
            float[] nan = new float[20 * 8];
            Arrays.fill(nan, Float.NaN);
            k.slice(2, 0, 20).copyFrom(nan);
            k.slice(2, 43, 60).copyFrom(Arrays.copyOf(nan, 17 * 8));
            segmented.run(in, segments);
            assertArrayEquals(before, out.toFloatArray());
            // Key 41 is seen by the queries at 41 and 42, and by those only.
            k.slice(2, 41, 42).copyFrom(Arrays.copyOf(nan, 8));
            segmented.run(in, segments);
            for (int h = 0; h < 2; h++) {
                assertArrayEquals(Arrays.copyOfRange(before, h * 24, h * 24 + 8),
                    out.select(1, h).slice(1, 0, 1).toFloatArray());
                for (float value : out.select(1, h).slice(1, 1, 3).toFloatArray()) {
                    assertTrue(Float.isNaN(value));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"BFLOAT16", "FLOAT16"})
    void takesSixteenBits(DType type) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 1, 4, 6, 32).cast(scope, type);
            Tensor k = Samples.normal(scope, 2, 1, 2, 50, 32).cast(scope, type);
            Tensor out = scope.zeros(type, 1, 6, 4, 32).transpose(1, 2);
            List<KeyValues> segments = List.of(new KeyValues(k.slice(2, 0, 13), k.slice(2, 0, 13)),
                new KeyValues(k.slice(2, 13, 50), k.slice(2, 13, 50)));
            Attention attention = Attention.builder().causal().build();
            try (SegmentedAttention segmented = new SegmentedAttention(attention)) {
                segmented.run(q, segments, out);
                WholeKeys.of(attention, AttentionInputs.of(q, null, null, out), k, k, 0)
                    .assertEqual(out, null, type == DType.BFLOAT16 ? 2e-2 : 3e-3);
            }
        }
    }

    /** Segments of random lengths, some empty, some of other strides. */
    private static List<KeyValues> cut(Random random, TensorScope scope, Tensor k, Tensor v) {
        List<KeyValues> segments = new ArrayList<>();
        long from = 0;
        do {
            long to = random.nextInt(6) == 0 ? k.size(2) : Math.min(k.size(2), from + random.nextInt(30));
            Tensor keys = k.slice(2, from, to);
            if (random.nextBoolean()) {
                keys = scope.zeros(DType.FLOAT32, k.size(0), to - from, k.size(1), k.size(3)).transpose(1, 2)
                    .copyFrom(keys);
            }
            segments.add(new KeyValues(keys, v.slice(2, from, to)));
            from = to;
        } while (from < k.size(2));
        return segments;
    }
}
