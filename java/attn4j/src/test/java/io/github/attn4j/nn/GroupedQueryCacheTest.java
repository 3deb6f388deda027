// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.ForcedIsa;
import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.PagedKeyValueCache;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.attention.StoredRows;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** With a cache, token by token or in parts, a decoder's attention gives what it gives at once. */
class GroupedQueryCacheTest {
    private static final int BATCH = 2, TOKENS = 41, WIDTH = 20, HEADS = 4, KV_HEADS = 2, DIM = 6;
    private static final List<DType> TYPES = List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16, DType.INT8);

    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, BATCH, TOKENS, WIDTH);

    @AfterEach
    void close() {
        scope.close();
    }

    private GroupedQueryAttention module(Isa isa, long window) {
        RotaryTables tables = RotaryTables.builder(DIM).build(scope, TOKENS);
        return ModuleWeights.loaded(scope, ForcedModules.on(GroupedQueryAttention.builder(WIDTH, HEADS, KV_HEADS), isa)
            .headDim(DIM).causal().window(window, -1).queryKeyNorm(1e-6).gating(Gating.ELEMENTWISE)
            .rotary(RotaryEmbedding.builder(tables).isa(isa).build()).build(), 3);
    }

    private static void assertClose(Tensor expected, Tensor actual) {
        assertClose(expected, actual, 2e-6);
    }

    private static void assertClose(Tensor expected, Tensor actual, double tolerance) {
        assertArrayEquals(expected.toFloatArray(), actual.toFloatArray(), (float) tolerance);
    }

    /** The rows of one part, dense, as a decoder has them. */
    private Tensor part(Tensor tensor, int from, int to) {
        return scope.zeros(DType.FLOAT32, BATCH, to - from, WIDTH).copyFrom(tensor.slice(1, from, to));
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void tokenByToken(Isa isa) {
        GroupedQueryAttention module = module(isa, -1);
        Tensor whole = module.apply(scope, x);
        try (KeyValueCache cache = KeyValueCache.builder(BATCH, KV_HEADS, DIM).chunk(8).build();
             Forward forward = module.plan(BATCH, 1, 1)) {
            Tensor out = scope.zeros(DType.FLOAT32, BATCH, 1, WIDTH);
            for (int token = 0; token < TOKENS; token++) {
                forward.run(ModuleInputs.of(part(x, token, token + 1), out).cache(cache));
                assertEquals(token + 1, cache.length());
                assertClose(part(whole, token, token + 1), out);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void inPartsWithAWindowAndARing(Isa isa) {
        for (DType type : TYPES) {
            double tolerance = tolerance(type);
            GroupedQueryAttention module = module(isa, 5);
            Tensor whole = module.apply(scope, x);
            int[] ends = {7, 8, 9, 20, 21, TOKENS};
            try (KeyValueCache ring = KeyValueCache.builder(BATCH, KV_HEADS, DIM).dtype(type).ring(5 + 20).build()) {
                int from = 0;
                for (int to : ends) {
                    assertClose(part(whole, from, to), module.apply(scope, part(x, from, to), ring), tolerance);
                    from = to;
                }
            }
        }
    }

    /** Sequences of different lengths, each at its own positions, in pages that lie between each other. */
    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void inPages(Isa isa) {
        for (DType type : TYPES) {
            GroupedQueryAttention module = module(isa, type == DType.FLOAT32 ? -1 : 9);
            Tensor whole = module.apply(scope, x);
            try (PagedKeyValueCache cache =
                     PagedKeyValueCache.builder(24, KV_HEADS, DIM).dtype(type).pageSize(4).build();
                 PagedSequence first = cache.add("first"); PagedSequence second = cache.add("second")) {
                int ahead = 5;
                Tensor start = module.apply(scope, entry(x, 1, 0, ahead), List.of(second));
                assertClose(entry(whole, 1, 0, ahead), start, tolerance(type));
                int from = 0;
                for (int to : new int[] {3, 4, 5, 20, 21, TOKENS - ahead}) {
                    Tensor rows = scope.zeros(DType.FLOAT32, 2, to - from, WIDTH);
                    rows.slice(0, 0, 1).copyFrom(entry(x, 0, from, to));
                    rows.slice(0, 1, 2).copyFrom(entry(x, 1, from + ahead, to + ahead));
                    Tensor out = module.apply(scope, rows, List.of(first, second));
                    assertClose(entry(whole, 0, from, to), out.slice(0, 0, 1), tolerance(type));
                    assertClose(entry(whole, 1, from + ahead, to + ahead), out.slice(0, 1, 2), tolerance(type));
                    from = to;
                }
                assertEquals(TOKENS - ahead, first.length());
                assertEquals(TOKENS, second.length());
            }
        }
    }

    /** Rows of one batch entry, dense. */
    private Tensor entry(Tensor tensor, int b, int from, int to) {
        return scope.zeros(DType.FLOAT32, 1, to - from, WIDTH).copyFrom(tensor.slice(0, b, b + 1).slice(1, from, to));
    }

    private static double tolerance(DType type) {
        return type == DType.FLOAT32 ? 2e-6 : type == DType.BFLOAT16 ? 2e-2 : type == DType.FLOAT16 ? 3e-3 : 5e-2;
    }

    /**
     * Keys and values of 16 or 8 bits are those of 32, rounded: what the cache holds is attended to without more loss.
     */
    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void fewerBitsLoseOnlyTheRoundingOfKeysAndValues(Isa isa) {
        GroupedQueryAttention module = ModuleWeights.loaded(scope, ForcedModules.on(GroupedQueryAttention.builder(WIDTH,
            HEADS, KV_HEADS), isa).headDim(DIM).causal().build(), 3);
        Tensor keys = Linear.builder(module.state().get("k_proj.weight")).isa(isa).build().apply(scope, x);
        Tensor values = Linear.builder(module.state().get("v_proj.weight")).isa(isa).build().apply(scope, x);
        for (DType type : List.of(DType.BFLOAT16, DType.FLOAT16, DType.INT8)) {
            try (KeyValueCache half = KeyValueCache.builder(BATCH, KV_HEADS, DIM).dtype(type).build();
                 KeyValueCache rounded = KeyValueCache.builder(BATCH, KV_HEADS, DIM).build()) {
                Tensor last = part(x, TOKENS - 1, TOKENS);
                module.apply(scope, part(x, 0, TOKENS - 1), half);
                rounded.append(twice(keys, type), twice(values, type));
                Tensor query = Linear.builder(module.state().get("q_proj.weight")).isa(isa).build().apply(scope, last);
                Tensor context = scope.zeros(DType.FLOAT32, BATCH, 1, HEADS * DIM);
                try (SegmentedAttention attention = new SegmentedAttention(
                    ForcedIsa.on(Attention.builder().causal(), isa).build())) {
                    attention.run(Projected.of(query, HEADS).heads(), rounded, Projected.of(context, HEADS).heads());
                }
                assertClose(Linear.builder(module.state().get("o_proj.weight")).isa(isa).build().apply(scope, context),
                    module.apply(scope, last, half));
            }
        }
    }

    /** To another type and back, as [batch, kvHeads, tokens, headDim]. */
    private Tensor twice(Tensor rows, DType type) {
        return StoredRows.meant(scope, Projected.of(rows, KV_HEADS).heads(), type);
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void positionsOfOnesOwn(Isa isa) {
        GroupedQueryAttention module = module(isa, -1);
        long[] ids = new long[TOKENS];
        for (int i = 0; i < TOKENS; i++) {
            ids[i] = i;
        }
        Tensor given = module.apply(scope, ModuleInputs.of(x, null).positions(scope.of(ids, 1, TOKENS)));
        assertArrayEquals(module.apply(scope, x).toFloatArray(), given.toFloatArray());
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void aMaskCountsTheCachedKeys(Isa isa) {
        GroupedQueryAttention module = module(isa, -1);
        boolean[] hidden = new boolean[9 * 9];
        java.util.Arrays.fill(hidden, true);
        for (int i = 0; i < 9; i++) {
            hidden[i * 9 + 2] = false;
        }
        Tensor mask = scope.of(hidden, 9, 9);
        Tensor whole = module.apply(scope, ModuleInputs.of(part(x, 0, 9), null).mask(mask));
        try (KeyValueCache cache = KeyValueCache.builder(BATCH, KV_HEADS, DIM).chunk(4).build()) {
            module.apply(scope, part(x, 0, 5), cache);
            ModuleInputs rest = ModuleInputs.of(part(x, 5, 9), null).cache(cache).mask(mask.slice(0, 5, 9));
            assertClose(part(whole, 5, 9), module.apply(scope, rest));
        }
        try (KeyValueCache ring = KeyValueCache.builder(BATCH, KV_HEADS, DIM).ring(8).build()) {
            module.apply(scope, part(x, 0, 8), ring);
            // Of nine tokens the ring holds the last eight.
            Tensor kept = mask.slice(0, 8, 9).slice(1, 1, 9);
            Tensor all = scope.of(new boolean[] {false, true, false, true, true, true, true, true, true}, 1, 9);
            Tensor expected = module.apply(scope, ModuleInputs.of(part(x, 0, 9), null).mask(all));
            assertClose(part(expected, 8, 9),
                module.apply(scope, ModuleInputs.of(part(x, 8, 9), null).cache(ring).mask(kept)));
        }
    }
}
