// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class KeyValueCacheTest {
    private final List<Isa> isas = Samples.isas().toList();

    /** After each append, attention over the cache is attention over all that was appended. */
    @Property(tries = 120)
    void growingEqualsAttentionOverAllKeys(@ForAll long seed) {
        Random random = new Random(seed);
        Attention attention = RandomOptions.attention(random, isas.get(random.nextInt(isas.size())));
        try (Setting s = new Setting(random, 300);
             KeyValueCache cache = s.builder().chunk(1 + random.nextInt(20)).build();
             SegmentedAttention segmented = new SegmentedAttention(attention)) {
            for (int length = 0, step = 0; step < 8; step++) {
                int count = s.append(cache, length, random.nextInt(35));
                length += count;
                assertEquals(length, cache.length());
                assertEquals(0, cache.first());
                s.check(attention, segmented, cache, 0, length, 1 + random.nextInt(6));
            }
        }
    }

    /** A ring holds the newest keys at their positions. */
    @Property(tries = 120)
    void ringEqualsAttentionOverItsKeys(@ForAll long seed) {
        Random random = new Random(seed);
        int capacity = 1 + random.nextInt(40);
        int queries = 1 + random.nextInt(Math.min(4, capacity));
        Attention.Builder builder = Attention.builder().isa(isas.get(random.nextInt(isas.size())));
        Attention attention = (random.nextBoolean() ? builder.causal().window(capacity - queries, 0)
            : random.nextBoolean() ? builder.causal() : builder).build();
        try (Setting s = new Setting(random, 600);
             KeyValueCache cache = s.builder().ring(capacity).build();
             SegmentedAttention segmented = new SegmentedAttention(attention)) {
            for (int length = 0, step = 0; step < 10; step++) {
                length += s.append(cache, length, random.nextInt(4) == 0 ? random.nextInt(60) : random.nextInt(5));
                int first = Math.max(0, length - capacity);
                assertEquals(length, cache.length());
                assertEquals(first, cache.first());
                s.check(attention, segmented, cache, first, length, queries);
            }
            cache.clear();
            assertEquals(0, cache.length());
            s.append(cache, 0, 3);
            s.check(attention, segmented, cache, Math.max(0, 3 - capacity), 3, 1);
        }
    }

    @Test
    void growingMovesNothing() {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache cache = KeyValueCache.builder(2, 3, 8).valueDim(5).chunk(4).build()) {
            Tensor k = Samples.normal(scope, 1, 2, 3, 100, 8);
            Tensor v = Samples.normal(scope, 2, 2, 3, 100, 5);
            List<Long> addresses = new ArrayList<>();
            for (int at = 0; at < 100; at++) {
                cache.append(k.slice(2, at, at + 1), v.slice(2, at, at + 1));
                KeyRuns runs = cache.beginRead();
                for (int run = 0; run < runs.count(); run++) {
                    if (2 * run == addresses.size()) {
                        addresses.add(address(runs.rows(run).k()));
                        addresses.add(address(runs.rows(run).v()));
                    }
                    assertEquals(addresses.get(2 * run), address(runs.rows(run).k()));
                    assertEquals(addresses.get(2 * run + 1), address(runs.rows(run).v()));
                }
                cache.endRead();
            }
            // 4, 4, 8, 16, 32, 64.
            assertEquals(6, addresses.size() / 2);
            KeyRuns runs = cache.beginRead();
            for (int run = 0; run < runs.count(); run++) {
                long from = runs.position(run);
                long to = from + runs.length(run);
                assertArrayEquals(k.slice(2, from, to).toFloatArray(),
                    runs.rows(run).k().slice(2, 0, to - from).toFloatArray());
                assertArrayEquals(v.slice(2, from, to).toFloatArray(),
                    runs.rows(run).v().slice(2, 0, to - from).toFloatArray());
            }
            cache.endRead();
        }
    }

    private static int runs(KeyValueCache cache) {
        int count = cache.beginRead().count();
        cache.endRead();
        return count;
    }

    @Test
    void aLongPromptIsOneChunk() {
        try (TensorScope scope = TensorScope.open(); KeyValueCache cache = KeyValueCache.builder(1, 1, 4).build()) {
            Tensor k = Samples.normal(scope, 1, 1, 1, 1000, 4);
            cache.append(k, k);
            assertEquals(1, runs(cache));
            cache.append(k.slice(2, 0, 0), k.slice(2, 0, 0));
            assertEquals(1, runs(cache));
        }
    }

    private static long address(Tensor tensor) {
        long address = View.of(tensor, "tensor").address;
        assertTrue(address != 0);
        return address;
    }

    /** Shapes, and the keys and values to be appended. */
    private static final class Setting implements AutoCloseable {
        final Random random;
        final TensorScope scope = TensorScope.open();
        final int batch;
        final int kvHeads;
        final int heads;
        final int headDim;
        final int valueDim;
        final DType type;
        final Tensor k;
        final Tensor v;
        /** What the cache means by them. */
        final Tensor keys;
        final Tensor values;

        Setting(Random random, int most) {
            this.random = random;
            batch = 1 + random.nextInt(2);
            kvHeads = 1 + random.nextInt(2);
            heads = kvHeads * (1 + random.nextInt(2));
            headDim = 1 + random.nextInt(20);
            valueDim = 1 + random.nextInt(20);
            k = Samples.normal(scope, random.nextLong(), batch, most, kvHeads, headDim).transpose(1, 2);
            v = Samples.normal(scope, random.nextLong(), batch, kvHeads, most, valueDim);
            type = List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16, DType.INT8).get(random.nextInt(4));
            keys = StoredRows.meant(scope, k, type);
            values = StoredRows.meant(scope, v, type);
        }

        KeyValueCache.Builder builder() {
            return KeyValueCache.builder(batch, kvHeads, headDim).valueDim(valueDim).dtype(type);
        }

        int append(KeyValueCache cache, int length, int count) {
            cache.append(k.slice(2, length, length + count), v.slice(2, length, length + count));
            return count;
        }

        void check(Attention attention, SegmentedAttention segmented, KeyValueCache cache, int first, int length,
                   int queries) {
            Tensor q = Samples.normal(scope, random.nextLong(), batch, heads, queries, headDim);
            Tensor out = Samples.marked(scope, batch, heads, queries, valueDim);
            Tensor lse = Samples.marked(scope, batch, heads, queries);
            AttentionInputs in = RandomOptions.inputs(random, scope, q, out, length - first).lse(lse);
            segmented.run(in, cache);
            WholeKeys.of(attention, in, keys.slice(2, first, length), values.slice(2, first, length), first)
                .assertEqual(out, lse);
        }

        @Override
        public void close() {
            scope.close();
        }
    }
}
