// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.nn.RotaryEmbedding;
import io.github.attn4j.nn.RotaryLayout;
import io.github.attn4j.nn.RotaryTables;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What caches of each type hold of the keys and values that were appended. */
class CacheTypesTest {
    /** What is appended as FLOAT32 is what a cast of it is, bit for bit, in chunks, rings and pages. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"BFLOAT16", "FLOAT16"})
    void roundsToSixteenBits(DType type) {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache chunks = KeyValueCache.builder(2, 3, 5).valueDim(4).dtype(type).chunk(3).build();
             KeyValueCache ring = KeyValueCache.builder(2, 3, 5).valueDim(4).dtype(type).ring(7).build();
             PagedKeyValueCache pages = PagedKeyValueCache.builder(4, 3, 5).valueDim(4).dtype(type).pageSize(3).build();
             PagedSequence sequence = pages.add("sequence")) {
            Tensor k = Samples.normal(scope, 1, 2, 10, 3, 5).transpose(1, 2);
            Tensor v = Samples.normal(scope, 2, 2, 3, 10, 4);
            int[] ends = {0, 1, 5, 10};
            for (int part = 1; part < ends.length; part++) {
                Tensor keys = k.slice(2, ends[part - 1], ends[part]);
                Tensor values = v.slice(2, ends[part - 1], ends[part]);
                chunks.append(keys, values);
                ring.append(keys, values);
                sequence.append(keys.slice(0, 1, 2), values.slice(0, 1, 2));
            }
            assertHolds(chunks.beginRead(), k.cast(scope, type), v.cast(scope, type));
            chunks.endRead();
            assertHolds(ring.beginRead(), k.cast(scope, type), v.cast(scope, type));
            ring.endRead();
            KeyValues rows = sequence.cache().pool.rows;
            for (int token = 0; token < 10; token++) {
                long page = sequence.table()[token / 3];
                assertArrayEquals(k.slice(0, 1, 2).slice(2, token, token + 1).cast(scope, type).toShortArray(),
                    rows.k().select(0, page).slice(1, token % 3, token % 3 + 1).toShortArray());
                assertArrayEquals(v.slice(0, 1, 2).slice(2, token, token + 1).cast(scope, type).toShortArray(),
                    rows.v().select(0, page).slice(1, token % 3, token % 3 + 1).toShortArray());
            }
        }
    }

    /**
     * The nearest multiples of the scale, which is the largest number of a row by 127: none is off by more than half.
     */
    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void bytesAreWithinHalfAScale(Isa isa) {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache chunks = KeyValueCache.builder(2, 3, 21).valueDim(4).dtype(DType.INT8).chunk(3).isa(isa)
                 .build();
             KeyValueCache ring = KeyValueCache.builder(2, 3, 21).valueDim(4).dtype(DType.INT8).ring(7).isa(isa)
                 .build()) {
            Tensor k = Samples.normal(scope, 1, 2, 10, 3, 21).transpose(1, 2);
            Tensor v = Samples.normal(scope, 2, 2, 3, 10, 4);
            int[] ends = {0, 1, 5, 10};
            for (int part = 1; part < ends.length; part++) {
                chunks.append(k.slice(2, ends[part - 1], ends[part]), v.slice(2, ends[part - 1], ends[part]));
                ring.append(k.slice(2, ends[part - 1], ends[part]), v.slice(2, ends[part - 1], ends[part]));
            }
            assertEquals(10, quantised(chunks, k, v));
            assertEquals(7, quantised(ring, k, v));
        }
    }

    /** Checks the rows that a cache holds, and counts them. */
    private static long quantised(KeyValueCache cache, Tensor k, Tensor v) {
        long count = 0;
        KeyRuns runs = cache.beginRead();
        for (int run = 0; run < runs.count(); run++) {
            long from = runs.position(run);
            long to = from + runs.length(run);
            long first = runs.first(run);
            KeyValues rows = runs.rows(run);
            assertQuantised(k.slice(2, from, to), rows.k().slice(2, first, first + to - from),
                rows.kScales().slice(2, first, first + to - from));
            assertQuantised(v.slice(2, from, to), rows.v().slice(2, first, first + to - from),
                rows.vScales().slice(2, first, first + to - from));
            count += to - from;
        }
        cache.endRead();
        return count;
    }

    private static void assertQuantised(Tensor values, Tensor bytes, Tensor scales) {
        float[] x = values.toFloatArray();
        byte[] q = bytes.toByteArray();
        float[] factors = scales.toFloatArray();
        int dim = x.length / Math.max(1, factors.length);
        for (int i = 0; i < x.length; i++) {
            float most = 0;
            for (int d = 0; d < dim; d++) {
                most = Math.max(most, Math.abs(x[i / dim * dim + d]));
            }
            float scale = factors[i / dim];
            assertEquals(most / 127, scale);
            assertEquals(x[i], q[i] * (double) scale, scale * 0.5 * (1 + 1e-5));
        }
    }

    /** A row that cannot be kept in bytes reads as NaN, and only where it is seen. */
    @Test
    void aRowThatIsNotFiniteReadsAsNan() {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache cache = KeyValueCache.builder(1, 1, 4).dtype(DType.INT8).build();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor k = Samples.normal(scope, 1, 1, 1, 3, 4);
            Tensor v = Samples.normal(scope, 2, 1, 1, 3, 4);
            v.slice(2, 2, 3).copyFrom(new float[] {1, Float.POSITIVE_INFINITY, 1, 1});
            cache.append(k, v);
            Tensor out = Samples.marked(scope, 1, 1, 2, 4);
            segmented.run(Samples.normal(scope, 3, 1, 1, 2, 4), cache, out);
            for (float number : out.slice(2, 0, 1).toFloatArray()) {
                assertTrue(Float.isFinite(number));
            }
            for (float number : out.slice(2, 1, 2).toFloatArray()) {
                assertTrue(Float.isNaN(number));
            }
        }
    }

    /** Turned in the append or before it, keys are the same bits. */
    @Test
    void appendingTurnsKeys() {
        for (DType type : List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16, DType.INT8)) {
            try (TensorScope scope = TensorScope.open();
                 KeyValueCache turned = KeyValueCache.builder(2, 3, 9).dtype(type).chunk(4).build();
                 KeyValueCache given = KeyValueCache.builder(2, 3, 9).dtype(type).chunk(4).build();
                 KeyValueCache expected = KeyValueCache.builder(2, 3, 9).dtype(type).chunk(4).build()) {
                Tensor k = Samples.normal(scope, 1, 2, 3, 11, 9);
                RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(6).build(scope, 11))
                    .layout(RotaryLayout.PAIRS).build();
                Tensor before = scope.zeros(DType.FLOAT32, 2, 3, 11, 9);
                rotary.run(k, before, 0);
                Tensor ids = scope.of(new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 1, 11);
                int[] ends = {0, 3, 4, 11};
                for (int part = 1; part < ends.length; part++) {
                    Tensor rows = k.slice(2, ends[part - 1], ends[part]);
                    turned.append(rows, rows, rotary, null);
                    given.append(rows, rows, rotary, ids.slice(1, ends[part - 1], ends[part]));
                    expected.append(before.slice(2, ends[part - 1], ends[part]), rows);
                }
                Tensor q = Samples.normal(scope, 2, 2, 3, 1, 9);
                float[] result = attended(scope, q, expected);
                assertArrayEquals(result, attended(scope, q, turned), type::toString);
                assertArrayEquals(result, attended(scope, q, given), type::toString);
            }
        }
    }

    private static float[] attended(TensorScope scope, Tensor q, KeyValueCache cache) {
        Tensor out = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(2), q.size(3));
        try (SegmentedAttention segmented = new SegmentedAttention(Attention.builder().build())) {
            segmented.run(q, cache, out);
        }
        return out.toFloatArray();
    }

    private static void assertHolds(KeyRuns runs, Tensor k, Tensor v) {
        for (int run = 0; run < runs.count(); run++) {
            long from = runs.position(run);
            long to = from + runs.length(run);
            long first = runs.first(run);
            assertArrayEquals(k.slice(2, from, to).toShortArray(),
                runs.rows(run).k().slice(2, first, first + to - from).toShortArray());
            assertArrayEquals(v.slice(2, from, to).toShortArray(),
                runs.rows(run).v().slice(2, first, first + to - from).toShortArray());
        }
    }

    @Test
    void sixteenBitsTakeHalfTheMemory() {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache cache = KeyValueCache.builder(1, 2, 16).dtype(DType.BFLOAT16).chunk(3).build()) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 20, 16).cast(scope, DType.BFLOAT16);
            for (int at = 0; at < 20; at += 5) {
                cache.append(k.slice(2, at, at + 5), k.slice(2, at, at + 5));
            }
            Tensor q = Samples.normal(scope, 2, 1, 4, 1, 16).cast(scope, DType.BFLOAT16);
            Tensor out = scope.zeros(DType.BFLOAT16, 1, 4, 1, 16);
            Attention attention = Attention.builder().causal().build();
            try (SegmentedAttention segmented = new SegmentedAttention(attention)) {
                segmented.run(q, cache, out);
                WholeKeys.of(attention, AttentionInputs.of(q, null, null, out), k, k, 0).assertEqual(out, null, 2e-2);
            }
        }
    }
}
