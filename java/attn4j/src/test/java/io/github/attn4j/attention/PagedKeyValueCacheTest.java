// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PagedKeyValueCacheTest {
    private static final int TOKENS = 400;

    private final List<Isa> isas = Samples.isas().toList();

    /** Random adding, appending, forking and closing, against lists of token numbers; half of them ragged. */
    @Property(tries = 100)
    void equalsAModel(@ForAll long seed) {
        Random random = new Random(seed);
        Attention.Builder options = RandomOptions.builder(random, isas.get(random.nextInt(isas.size())));
        Attention attention = (random.nextBoolean() ? options.ragged() : options).build();
        int pageSize = 1 + random.nextInt(7);
        int pages = 10 + random.nextInt(60);
        DType type = List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16, DType.INT8).get(random.nextInt(4));
        try (TensorScope scope = TensorScope.open();
             SegmentedAttention segmented = new SegmentedAttention(attention);
             PagedKeyValueCache cache =
                 PagedKeyValueCache.builder(pages, 2, 9).valueDim(6).pageSize(pageSize).dtype(type).build()) {
            Tensor k = Samples.normal(scope, seed + 1, 1, 2, TOKENS, 9);
            Tensor v = Samples.normal(scope, seed + 2, 1, TOKENS, 2, 6).transpose(1, 2);
            Tensor keys = StoredRows.meant(scope, k, type);
            Tensor values = StoredRows.meant(scope, v, type);
            Map<PagedSequence, List<Integer>> model = new LinkedHashMap<>();
            for (int step = 0; step < 50; step++) {
                PagedSequence any = model.isEmpty() ? null : pick(random, model);
                int action = any == null ? 0 : random.nextInt(10);
                if (action == 0) {
                    model.put(cache.add("added " + step), new ArrayList<>());
                } else if (action == 1) {
                    model.put(any.fork("fork " + step), new ArrayList<>(model.get(any)));
                } else if (action == 2) {
                    any.close();
                    any.close();
                    model.remove(any);
                } else if (action < 8) {
                    append(random, any, model.get(any), k, v, cache);
                } else {
                    attend(random, attention, segmented, model, keys, values);
                }
                for (Map.Entry<PagedSequence, List<Integer>> entry : model.entrySet()) {
                    assertEquals(entry.getValue().size(), entry.getKey().length());
                }
            }
            attend(random, attention, segmented, model, keys, values);
            model.keySet().forEach(PagedSequence::close);
            assertEquals(pages, cache.freePages());
        }
    }

    @Test
    void forksShareUntilTheyAreWrittenTo() {
        try (TensorScope scope = TensorScope.open();
             PagedKeyValueCache cache = PagedKeyValueCache.builder(8, 1, 4).pageSize(4).build()) {
            Tensor k = Samples.normal(scope, 1, 1, 1, 20, 4);
            try (PagedSequence first = cache.add("first")) {
                first.append(k.slice(2, 0, 10), k.slice(2, 0, 10));
                assertEquals(5, cache.freePages());
                try (PagedSequence second = first.fork("second"); PagedSequence third = first.fork("third")) {
                    assertEquals(5, cache.freePages());
                    second.append(k.slice(2, 10, 11), k.slice(2, 10, 11));
                    assertEquals(4, cache.freePages());
                    third.append(k.slice(2, 11, 12), k.slice(2, 11, 12));
                    assertEquals(3, cache.freePages());
                    // The last user of the old page writes in place.
                    first.append(k.slice(2, 12, 13), k.slice(2, 12, 13));
                    assertEquals(3, cache.freePages());
                    assertEquals(3, second.pages());
                }
                assertEquals(5, cache.freePages());
            }
            assertEquals(8, cache.freePages());
        }
    }

    /** What one fork writes, scales included, the other does not see. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"FLOAT32", "BFLOAT16", "FLOAT16", "INT8"})
    void forksDoNotSeeEachOther(DType type) {
        Attention attention = Attention.builder().causal().build();
        try (TensorScope scope = TensorScope.open(); SegmentedAttention segmented = new SegmentedAttention(attention);
             PagedKeyValueCache cache = PagedKeyValueCache.builder(8, 2, 9).valueDim(6).pageSize(4).dtype(type).build();
             PagedSequence first = cache.add("first")) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 12, 9);
            Tensor v = Samples.normal(scope, 2, 1, 2, 12, 6);
            first.append(k.slice(2, 0, 6), v.slice(2, 0, 6));
            try (PagedSequence second = first.fork("second")) {
                cache.append(List.of(second, first), join(scope, k, 6, 9), join(scope, v, 6, 9));
                // The shared second page was copied once, and each has a third.
                assertEquals(3, cache.freePages());
                Tensor q = Samples.normal(scope, 3, 2, 4, 1, 9);
                Tensor out = Samples.marked(scope, 2, 4, 1, 6);
                AttentionInputs in = AttentionInputs.of(q, null, null, out);
                segmented.runPaged(in, List.of(second, first));
                Tensor keys = StoredRows.meant(scope, k, type);
                Tensor values = StoredRows.meant(scope, v, type);
                for (int b = 0; b < 2; b++) {
                    List<Integer> tokens = b == 0 ? List.of(0, 1, 2, 3, 4, 5, 6, 7, 8)
                        : List.of(0, 1, 2, 3, 4, 5, 9, 10, 11);
                    WholeKeys.of(attention, AttentionInputs.of(q.slice(0, b, b + 1), null, null, null),
                        gather(scope, keys, tokens), gather(scope, values, tokens), 0)
                        .assertEqual(out.slice(0, b, b + 1), null);
                }
            }
            assertEquals(5, cache.freePages());
        }
    }

    /** Rows [from, from + 3) of one entry and [from + 3, from + 6) of the same as a batch of two. */
    private static Tensor join(TensorScope scope, Tensor rows, int from, int to) {
        Tensor both = scope.zeros(DType.FLOAT32, 2, rows.size(1), to - from, rows.size(3));
        both.slice(0, 0, 1).copyFrom(rows.slice(2, from, to));
        both.slice(0, 1, 2).copyFrom(rows.slice(2, to, 2L * to - from));
        return both;
    }

    /** Wherever pages lie, the same bits; near those of a cache without pages. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"FLOAT32", "BFLOAT16", "FLOAT16", "INT8"})
    void placesOfPagesChangeNoBit(DType type) {
        try (TensorScope scope = TensorScope.open();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 90, 16);
            for (int queries : new int[] {1, 5, 40}) {
                Tensor q = Samples.normal(scope, 2, 1, 4, queries, 16);
                Tensor whole = scope.zeros(DType.FLOAT32, 1, 4, queries, 16);
                try (KeyValueCache cache = KeyValueCache.builder(1, 2, 16).dtype(type).build()) {
                    cache.append(k, k);
                    segmented.run(q, cache, whole);
                }
                for (int rows : new int[] {4, 5}) {
                    float[] inOrder = inPages(scope, segmented, type, rows, k, q, false);
                    assertArrayEquals(inOrder, inPages(scope, segmented, type, rows, k, q, true));
                    assertArrayEquals(whole.toFloatArray(), inOrder, 1e-5f);
                }
            }
        }
    }

    /** Attention over k, also as values, in pages of so many rows, those of another sequence between them or not. */
    private static float[] inPages(TensorScope scope, SegmentedAttention segmented, DType type, int rows, Tensor k,
                                   Tensor q, boolean scattered) {
        Tensor out = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(2), q.size(3));
        try (PagedKeyValueCache pages = PagedKeyValueCache.builder(26, 2, 16).dtype(type).pageSize(rows).build();
             PagedSequence other = pages.add("other"); PagedSequence sequence = pages.add("sequence")) {
            for (int at = 0; at < 90; at += 10) {
                if (at == 30 && scattered) {
                    other.append(k.slice(2, 0, 10), k.slice(2, 0, 10));
                }
                sequence.append(k.slice(2, at, at + 10), k.slice(2, at, at + 10));
            }
            segmented.runPaged(q, List.of(sequence), out);
        }
        return out.toFloatArray();
    }

    /** All are appended to, or none is. */
    @Test
    void appendsToAllOrNone() {
        try (TensorScope scope = TensorScope.open();
             PagedKeyValueCache cache = PagedKeyValueCache.builder(3, 1, 4).pageSize(4).build();
             PagedSequence first = cache.add("first"); PagedSequence second = cache.add("second")) {
            Tensor k = Samples.normal(scope, 1, 2, 1, 8, 4);
            thrown(IllegalStateException.class, "append to 2 sequences: needed=4 free=3",
                () -> cache.append(List.of(first, second), k, k));
            refused("sequences[0] and sequences[1] are first", () -> cache.append(List.of(first, first), k, k));
            refused("k.size(0)=2 sequences=1", () -> cache.append(List.of(first), k, k));
            assertEquals(0, first.length());
            assertEquals(3, cache.freePages());
            Tensor rows = k.slice(2, 0, 4);
            cache.append(List.of(first, second), rows, rows);
            assertEquals(4, second.length());
            assertEquals(1, cache.freePages());
        }
    }

    @Test
    void leaksAreNamed() {
        try (TensorScope scope = TensorScope.open()) {
            PagedKeyValueCache cache = PagedKeyValueCache.builder(8, 1, 4).pageSize(4).build();
            Tensor k = Samples.normal(scope, 1, 1, 1, 10, 4);
            PagedSequence chat = cache.add("chat 7");
            chat.append(k, k);
            PagedSequence fork = chat.fork("beam 2");
            cache.add("done").close();
            thrown(IllegalStateException.class,
                "chat 7 (length=10 pages=3), beam 2 (length=10 pages=3); pages used=3 of 8", cache::close);
            cache.close();
            thrown(IllegalStateException.class, "this PagedKeyValueCache is closed", () -> chat.append(k, k));
            thrown(IllegalStateException.class, "this PagedKeyValueCache is closed", () -> cache.add("late"));
            fork.close();
            chat.close();
        }
    }

    @Test
    void aFullPoolRefusesAndChangesNothing() {
        try (TensorScope scope = TensorScope.open();
             PagedKeyValueCache cache = PagedKeyValueCache.builder(3, 1, 4).pageSize(4).build();
             PagedSequence first = cache.add("first")) {
            Tensor k = Samples.normal(scope, 1, 1, 1, 20, 4);
            first.append(k.slice(2, 0, 6), k.slice(2, 0, 6));
            thrown(IllegalStateException.class, "append to first: needed=2 free=1 pages=3",
                () -> first.append(k.slice(2, 0, 7), k.slice(2, 0, 7)));
            assertEquals(6, first.length());
            assertEquals(1, cache.freePages());
            try (PagedSequence second = first.fork("second")) {
                thrown(IllegalStateException.class, "append to second: needed=2 free=1",
                    () -> second.append(k.slice(2, 0, 3), k.slice(2, 0, 3)));
                second.append(k.slice(2, 0, 2), k.slice(2, 0, 2));
                assertEquals(0, cache.freePages());
            }
            first.append(k.slice(2, 0, 6), k.slice(2, 0, 6));
            assertEquals(12, first.length());
        }
    }

    private static PagedSequence pick(Random random, Map<PagedSequence, List<Integer>> model) {
        return model.keySet().stream().skip(random.nextInt(model.size())).findFirst().orElseThrow();
    }

    /** Appends tokens, or finds that there is no room for them. */
    private static void append(Random random, PagedSequence sequence, List<Integer> tokens, Tensor k, Tensor v,
                               PagedKeyValueCache cache) {
        int count = random.nextInt(12);
        int from = random.nextInt(TOKENS - count);
        int free = cache.freePages();
        try {
            sequence.append(k.slice(2, from, from + count), v.slice(2, from, from + count));
        } catch (IllegalStateException e) {
            assertTrue(e.getMessage().contains("free=" + free), e.getMessage());
            assertTrue(free * cache.pageSize() < count + cache.pageSize());
            return;
        }
        for (int token = from; token < from + count; token++) {
            tokens.add(token);
        }
    }

    private static void attend(Random random, Attention attention, SegmentedAttention segmented,
                               Map<PagedSequence, List<Integer>> model, Tensor k, Tensor v) {
        List<PagedSequence> sequences = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0 && !model.isEmpty(); i--) {
            sequences.add(pick(random, model));
        }
        if (attention.ragged) {
            attendRagged(random, attention, segmented, sequences, model, k, v);
            return;
        }
        int batch = sequences.size();
        int queries = 1 + random.nextInt(3);
        int longest = sequences.stream().mapToInt(sequence -> model.get(sequence).size()).max().orElse(0);
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, random.nextLong(), batch, 4, queries, 9);
            Tensor out = Samples.marked(scope, batch, queries, 4, 6).transpose(1, 2);
            Tensor lse = Samples.marked(scope, batch, 4, queries);
            AttentionInputs in = RandomOptions.inputs(random, scope, q, out, longest).lse(lse);
            if (random.nextBoolean()) {
                in.offsets(RandomOptions.integers(random, scope, batch, -2, longest + 2));
            }
            segmented.runPaged(in, sequences);
            for (int b = 0; b < batch; b++) {
                List<Integer> tokens = model.get(sequences.get(b));
                AttentionInputs one = AttentionInputs.of(q.slice(0, b, b + 1), null, null, null).sinks(in.sinks)
                    .slopes(in.slopes).bias(entry(in.bias, b, tokens.size())).mask(entry(in.mask, b, tokens.size()))
                    .offsets(in.offsets == null ? null : in.offsets.slice(0, b, b + 1));
                WholeKeys.of(attention, one, gather(scope, k, tokens), gather(scope, v, tokens), 0)
                    .assertEqual(out.slice(0, b, b + 1), lse.slice(0, b, b + 1));
            }
        }
    }

    /** Each sequence with queries of its own number, none among them. */
    private static void attendRagged(Random random, Attention attention, SegmentedAttention segmented,
                                     List<PagedSequence> sequences, Map<PagedSequence, List<Integer>> model, Tensor k,
                                     Tensor v) {
        int batch = sequences.size();
        long[] cu = new long[batch + 1];
        for (int b = 0; b < batch; b++) {
            cu[b + 1] = cu[b] + random.nextInt(8);
        }
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, random.nextLong(), cu[batch], 4, 9);
            Tensor out = Samples.marked(scope, 4, cu[batch], 6).transpose(0, 1);
            Tensor lse = Samples.marked(scope, 4, cu[batch]);
            AttentionInputs in = AttentionInputs.of(q, null, null, out).cumulative(scope.of(cu, batch + 1), null)
                .lse(lse);
            if (random.nextBoolean()) {
                in.sinks(Samples.normal(scope, random.nextLong(), 4));
            }
            if (random.nextBoolean()) {
                in.offsets(RandomOptions.integers(random, scope, batch, -2, 20));
            }
            segmented.runPaged(in, sequences);
            for (int b = 0; b < batch; b++) {
                long queries = cu[b + 1] - cu[b];
                List<Integer> tokens = model.get(sequences.get(b));
                AttentionInputs one = AttentionInputs.of(entry(scope, q.transpose(0, 1), cu, b), null, null, null)
                    .sinks(in.sinks).offsets(in.offsets == null ? null : in.offsets.slice(0, b, b + 1));
                WholeKeys.of(attention, one, gather(scope, k, tokens), gather(scope, v, tokens), 0).assertEqual(
                    entry(scope, out.transpose(0, 1), cu, b),
                    entry(scope, lse.reshape(4, cu[batch], 1), cu, b).reshape(1, 4, queries));
            }
        }
    }

    /** Of [heads, rows, dim] the rows of a sequence, [1, heads, rows, dim]. */
    private static Tensor entry(TensorScope scope, Tensor all, long[] cu, int b) {
        return scope.zeros(DType.FLOAT32, all.size(0), cu[b + 1] - cu[b], all.size(2))
            .copyFrom(all.slice(1, cu[b], cu[b + 1])).reshape(1, all.size(0), cu[b + 1] - cu[b], all.size(2));
    }

    private static Tensor entry(Tensor tensor, int b, int keys) {
        if (tensor == null) {
            return null;
        }
        Tensor entry = tensor.rank() == 4 && tensor.size(0) > 1 ? tensor.slice(0, b, b + 1) : tensor;
        return entry.size(-1) == 1 ? entry : entry.slice(-1, 0, keys);
    }

    private static Tensor gather(TensorScope scope, Tensor rows, List<Integer> tokens) {
        Tensor gathered = scope.zeros(rows.dtype(), 1, rows.size(1), tokens.size(), rows.size(3));
        for (int j = 0; j < tokens.size(); j++) {
            gathered.slice(2, j, j + 1).copyFrom(rows.slice(2, tokens.get(j), tokens.get(j) + 1));
        }
        return gathered;
    }
}
