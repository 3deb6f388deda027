// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.SteadyState;
import io.github.attn4j.internal.NativeMemory;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Decoding token after token takes no native memory beyond growth, and sequences may be used from many threads. */
class CacheSteadyStateTest {
    @Test
    void growingTakesMemoryForChunksOnly() {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache cache = KeyValueCache.builder(2, 2, 16).chunk(64).build();
             KeyValueCache ring = KeyValueCache.builder(2, 2, 16).ring(48).build();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor k = Samples.normal(scope, 1, 2, 2, 1, 16);
            Tensor q = Samples.normal(scope, 2, 2, 4, 1, 16);
            Tensor out = scope.zeros(DType.FLOAT32, 2, 4, 1, 16);
            List<Long> memory = new ArrayList<>();
            for (int token = 0; token < 512; token++) {
                cache.append(k, k);
                ring.append(k, k);
                segmented.run(q, cache, out);
                segmented.run(q, ring, out);
                long now = NativeMemory.allocated();
                // It may become less, when the Cleaner gets to what other tests forgot.
                if (memory.isEmpty() || memory.get(memory.size() - 1) < now) {
                    memory.add(now);
                }
            }
            // Chunks of 64, 64, 128 and 256; the ring's second run, which comes with its wrap; and with each number of
            // partial results up to four, room for them.
            assertTrue(memory.size() <= 4 + 1 + 3, () -> "allocated after changes=" + memory);
        }
    }

    /** Neither Java objects nor native memory, of all kinds of keys, with all that may be given, and in 16 bits. */
    @Test
    void aSteadyStateAllocatesNothing() {
        try (TensorScope scope = TensorScope.open();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor q = Samples.normal(scope, 1, 2, 4, 3, 16);
            Tensor k = Samples.normal(scope, 2, 2, 2, 12, 16);
            List<KeyValues> segments = List.of(new KeyValues(k.slice(2, 0, 5), k.slice(2, 0, 5)),
                new KeyValues(k.slice(2, 5, 6), k.slice(2, 5, 6)), new KeyValues(k, k));
            AttentionInputs in = AttentionInputs.of(q, null, null, scope.zeros(DType.FLOAT32, 2, 4, 3, 16))
                .lse(scope.zeros(DType.FLOAT32, 2, 4, 3)).sinks(scope.zeros(DType.FLOAT32, 4))
                .slopes(scope.zeros(DType.FLOAT32, 4)).keyLengths(scope.of(new long[] {17, 18}, 2))
                .offsets(scope.of(new long[] {14, 15}, 2)).bias(scope.zeros(DType.FLOAT32, 3, 18))
                .mask(scope.zeros(DType.BOOL, 18));
            SteadyState.assertAllocatesNothing(() -> segmented.run(in, segments));
            AttentionInputs half = AttentionInputs.of(q, null, null, scope.zeros(DType.FLOAT16, 2, 4, 3, 16));
            SteadyState.assertAllocatesNothing(() -> segmented.run(half, segments));
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"FLOAT32", "BFLOAT16", "FLOAT16", "INT8"})
    void decodingAllocatesNothing(DType type) {
        try (TensorScope scope = TensorScope.open();
             KeyValueCache cache = KeyValueCache.builder(2, 2, 16).dtype(type).chunk(8).build();
             KeyValueCache ring = KeyValueCache.builder(2, 2, 16).dtype(type).ring(12).build();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor k = Samples.normal(scope, 1, 2, 2, 1, 16);
            Tensor q = Samples.normal(scope, 2, 2, 4, 1, 16);
            Tensor out = scope.zeros(DType.FLOAT32, 2, 4, 1, 16);
            AttentionInputs in = AttentionInputs.of(q, null, null, out);
            AttentionInputs masked = AttentionInputs.of(q, null, null, out).mask(scope.zeros(DType.BOOL, 12));
            Runnable token = () -> {
                if (cache.length() == 30) {
                    cache.clear();
                }
                cache.append(k, k);
                segmented.run(in, cache);
                ring.append(k, k);
                segmented.run(masked, ring);
            };
            for (int i = 0; i < 11; i++) {
                ring.append(k, k);
            }
            for (int i = 0; i < 30; i++) {
                token.run();
            }
            SteadyState.assertAllocatesNothing(token);
        }
    }

    /** Of other tensors, of fewer queries or none of a sequence, and of sequences that grow. */
    @Test
    void raggedSequencesAllocateNothing() {
        try (TensorScope scope = TensorScope.open();
             PagedKeyValueCache cache = PagedKeyValueCache.builder(60, 2, 16).pageSize(4).build();
             PagedSequence first = cache.add("first"); PagedSequence second = cache.add("second");
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().ragged().build())) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 6, 16);
            Tensor one = k.slice(2, 0, 1);
            first.append(k, k);
            second.append(k, k);
            Tensor q = Samples.normal(scope, 2, 5, 4, 16);
            Tensor out = scope.zeros(DType.FLOAT32, 5, 4, 16);
            Tensor[] queries = {q, q.slice(0, 0, 2)};
            Tensor[] outs = {out, out.slice(0, 0, 2)};
            Tensor[] lengths = {scope.of(new long[] {0, 1, 5}, 3), scope.of(new long[] {0, 0, 2}, 3)};
            AttentionInputs in = AttentionInputs.of(q, null, null, out);
            List<PagedSequence> sequences = List.of(first, second);
            int[] turn = new int[1];
            Runnable step = () -> {
                int i = turn[0]++ % 2;
                if (first.length() == 200) {
                    first.clear();
                }
                first.append(one, one);
                segmented.runPaged(in.operands(queries[i], null, null, outs[i]).cumulative(lengths[i], null),
                    sequences);
            };
            for (int i = 0; i < 400; i++) {
                step.run();
            }
            SteadyState.assertAllocatesNothing(step);
        }
    }

    /** Other tensors at each call, and sequences of other lengths. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"FLOAT32", "BFLOAT16", "FLOAT16", "INT8"})
    void pagesAllocateNothing(DType type) {
        try (TensorScope scope = TensorScope.open();
             PagedKeyValueCache cache = PagedKeyValueCache.builder(20, 2, 16).dtype(type).pageSize(4).build();
             PagedSequence first = cache.add("first"); PagedSequence second = cache.add("second");
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build())) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 6, 16);
            for (PagedSequence sequence : List.of(first, second, first)) {
                sequence.append(k, k);
            }
            Tensor q = Samples.normal(scope, 2, 2, 4, 1, 16);
            AttentionInputs in = AttentionInputs.of(q, null, null, scope.zeros(DType.FLOAT32, 2, 4, 1, 16))
                .lse(scope.zeros(DType.FLOAT32, 2, 4, 1)).offsets(scope.of(new long[] {11, 5}, 2))
                .bias(scope.zeros(DType.FLOAT32, 2, 1, 1, 12)).mask(scope.zeros(DType.BOOL, 12));
            List<PagedSequence> sequences = List.of(first, second);
            SteadyState.assertAllocatesNothing(() -> segmented.runPaged(in, sequences));
            in.bias(null).mask(null).offsets(null);
            Tensor token = Samples.normal(scope, 3, 2, 2, 1, 16);
            Tensor[] queries = {q, Samples.normal(scope, 4, 2, 4, 1, 16)};
            Runnable step = () -> {
                if (first.length() == 30) {
                    first.clear();
                    second.clear();
                }
                cache.append(sequences, token, token);
                in.operands(queries[(int) first.length() & 1], null, null, in.out);
                segmented.runPaged(in, sequences);
            };
            // Up to the longest there will be.
            for (int i = 0; i < 30; i++) {
                step.run();
            }
            SteadyState.assertAllocatesNothing(step);
        }
    }

    @Test
    void closingGivesEverythingBack() {
        long most = Long.MIN_VALUE;
        for (int round = 0; round < 3; round++) {
            long before = NativeMemory.allocated();
            TensorScope scope = TensorScope.open();
            KeyValueCache cache = KeyValueCache.builder(1, 1, 1024).build();
            PagedKeyValueCache paged = PagedKeyValueCache.builder(64, 1, 1024).dtype(DType.INT8).build();
            SegmentedAttention segmented = new SegmentedAttention(Attention.builder().build());
            Tensor k = Samples.normal(scope, 1, 1, 1, 300, 1024);
            cache.append(k.slice(2, 0, 200), k.slice(2, 0, 200));
            cache.append(k, k);
            try (PagedSequence sequence = paged.add("sequence")) {
                sequence.append(k, k);
                segmented.runPaged(k, List.of(sequence), scope.zeros(DType.FLOAT32, 1, 1, 300, 1024));
            }
            segmented.run(k, cache, scope.zeros(DType.FLOAT32, 1, 1, 300, 1024));
            segmented.close();
            paged.close();
            cache.close();
            scope.close();
            most = Math.max(most, before - NativeMemory.allocated());
        }
        assertTrue(most >= 0, "bytes left=" + -most);
    }

    @Test
    void sequencesAreSharedByThreads() throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(6);
        Attention attention = Attention.builder().causal().threads(1).build();
        try (TensorScope scope = TensorScope.open();
             PagedKeyValueCache cache = PagedKeyValueCache.builder(400, 2, 16).pageSize(4).build();
             PagedSequence prefix = cache.add("prefix")) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 60, 16);
            Tensor q = Samples.normal(scope, 2, 1, 4, 1, 16);
            prefix.append(k.slice(2, 0, 10), k.slice(2, 0, 10));
            Tensor expected = attention.apply(scope, q, k, k);
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                String name = "fork " + i;
                results.add(executor.submit(() -> {
                    try (TensorScope own = TensorScope.open(); PagedSequence fork = prefix.fork(name);
                         SegmentedAttention segmented = new SegmentedAttention(attention)) {
                        Tensor out = own.zeros(DType.FLOAT32, 1, 4, 1, 16);
                        for (int at = 10; at < 60; at++) {
                            fork.append(k.slice(2, at, at + 1), k.slice(2, at, at + 1));
                            segmented.runPaged(q, List.of(fork), out);
                        }
                        return out.toFloatArray();
                    }
                }));
            }
            for (Future<float[]> result : results) {
                assertArrayEquals(expected.toFloatArray(), result.get(), 2e-6f * 4);
            }
            assertEquals(397, cache.freePages());
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void closingDuringACallIsRefused() {
        try (TensorScope scope = TensorScope.open(); KeyValueCache cache = KeyValueCache.builder(1, 1, 4).build()) {
            Tensor k = Samples.normal(scope, 1, 1, 1, 3, 4);
            cache.append(k, k);
            cache.beginRead();
            thrown(IllegalStateException.class, "KeyValueCache is in use", cache::close);
            cache.endRead();
            assertEquals(3, cache.length());
        }
    }
}
