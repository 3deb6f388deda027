// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.PagedKeyValueCache;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each bad input gives an exception with both values, and nothing is written. */
class BadModuleInputTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, 2, 3, 6);
    private final Tensor out = Samples.marked(scope, 2, 3, 6);
    private final MultiHeadAttention module = ModuleWeights.loaded(scope, MultiHeadAttention.builder(6, 2).build(), 1);
    private final TorchMultiheadAttention torch = ModuleWeights.loaded(scope,
        TorchMultiheadAttention.builder(6, 2).batchFirst().build(), 1);

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(Samples.marked(scope, 2, 3, 6).toFloatArray(), out.toFloatArray());
        scope.close();
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }

    private Tensor bools(long... sizes) {
        return scope.zeros(DType.BOOL, sizes);
    }

    private ModuleInputs good() {
        return ModuleInputs.of(x, out);
    }

    private TorchInputs torchGood() {
        return TorchInputs.of(x, x, x, out);
    }

    @Test
    void options() {
        refused("heads must divide width: width=10 heads=3", () -> MultiHeadAttention.builder(10, 3).build());
        refused("width=10 heads=3", () -> TorchMultiheadAttention.builder(10, 3).build());
        refused("width=10 heads=3", () -> GeneralizedQueryAttention.builder(10, 3).build());
        refused("heads=4 kvHeads=3", () -> GroupedQueryAttention.builder(8, 4, 3).build());
        refused("width=9 heads=2", () -> GroupedQueryAttention.builder(9, 2, 1).build());
        refused("heads=0", () -> MultiHeadSelfAttention.builder(4, 0));
        refused("width=0", () -> SelfAttention.builder(0));
        refused("dropout=1.0", () -> CrossAttention.builder(4).dropout(1));
        refused("kdim=0", () -> TorchMultiheadAttention.builder(4, 2).kdim(0));
        refused("epsilon=0.0", () -> GroupedQueryAttention.builder(4, 2, 1).queryKeyNorm(0));
        refused("left=-2", () -> GroupedQueryAttention.builder(4, 2, 1).window(-2, 0));
        refused("batch=-1", () -> module.plan(-1, 1, 1));
        refused("keys=-3", () -> torch.plan(1, 1, -3));
    }

    @Test
    void operands() {
        Tensor wide = zeros(2, 3, 7);
        refused("query.size(2)=7 width=6", () -> module.run(ModuleInputs.of(wide, x, x, out)));
        refused("query has the wrong rank: rank=2 expected=3", () -> module.apply(scope, x.select(0, 0), x, x));
        refused("key.size(2)=7 width=6", () -> module.run(ModuleInputs.of(x, wide, x, out)));
        refused("key.size(0)=1 batch=2", () -> module.run(ModuleInputs.of(x, zeros(1, 3, 6), x, out)));
        refused("value.size(1)=4 keys=3", () -> module.run(ModuleInputs.of(x, x, zeros(2, 4, 6), out)));
        refused("out.size(1)=4 queries=3", () -> module.run(ModuleInputs.of(x, zeros(2, 4, 6))));
        refused("read-only", () -> module.run(ModuleInputs.of(x, out.asReadOnly())));
        refused("query must have rows at equal distances",
            () -> module.run(ModuleInputs.of(zeros(2, 5, 6).slice(1, 0, 3), x, x, out)));
        refused("dtype=BFLOAT16 expected=FLOAT32",
            () -> module.run(ModuleInputs.of(scope.zeros(DType.BFLOAT16, 2, 3, 6), x, x, out)));
        thrown(NullPointerException.class, "key must not be null",
            () -> module.run(ModuleInputs.of(x, null, x, out)));
        SelfAttention self = ModuleWeights.loaded(scope, SelfAttention.builder(6).build(), 1);
        refused("self-attention has one input", () -> self.run(ModuleInputs.of(x, zeros(2, 3, 6), x, out)));
        TensorScope other = TensorScope.open();
        Tensor closed = other.zeros(DType.FLOAT32, 2, 3, 6);
        other.close();
        thrown(IllegalStateException.class, "TensorScope is closed", () -> self.run(ModuleInputs.of(closed, out)));
    }

    @Test
    void masksAndWeights() {
        refused("mask.shape=[2, 3, 4] batch=2 heads=2 queries=3 keys=3",
            () -> module.run(good().mask(bools(2, 3, 4))));
        refused("mask.shape=[3, 3, 3]", () -> module.run(good().mask(bools(3, 3, 3))));
        refused("mask must be BOOL of rank 2 to 4: mask=FLOAT32[3, 3]", () -> module.run(good().mask(zeros(3, 3))));
        refused("mask=BOOL[3]", () -> module.run(good().mask(bools(3))));
        refused("mask must have innermost stride 1", () -> module.run(good().mask(bools(3, 3).transpose(0, 1))));
        refused("weights.size(1)=1 heads=2", () -> module.run(good().weights(zeros(2, 1, 3, 3))));
        refused("weights must not overlap query", () -> module.run(
            ModuleInputs.of(x, out).weights(x.reshape(36).slice(0, 0, 36).reshape(2, 2, 3, 3))));
        refused("only GroupedQueryAttention takes a cache", () -> module.run(good().positions(zeros(1))));
    }

    @Test
    void states() {
        Forward forward = module.plan(2, 3, 3);
        forward.close();
        forward.close();
        thrown(IllegalStateException.class, "this Forward is closed", () -> forward.run(good()));
        TorchForward planned = torch.plan(2, 3, 3);
        planned.close();
        thrown(IllegalStateException.class, "this TorchForward is closed", () -> planned.run(torchGood()));
        module.train();
        thrown(IllegalStateException.class, "dropout=0.1 seed=none", () -> module.run(good()));
        module.eval();
        thrown(IllegalStateException.class, "keepWeights()",
            () -> MultiHeadedAttention.builder(4, 2).build().lastWeights());
    }

    @Test
    void torchInputs() {
        refused("query.size(2)=5 width=6", () -> torch.run(TorchInputs.of(zeros(2, 3, 5), x, x, out)));
        refused("value.size(1)=4 keys=3", () -> torch.run(TorchInputs.of(x, x, zeros(2, 4, 6), out)));
        refused("keyPaddingMask.size(1)=4 keys=3", () -> torch.run(torchGood().keyPaddingMask(bools(2, 4))));
        refused("keyPaddingMask must have rank 2 to 2", () -> torch.run(torchGood().keyPaddingMask(bools(3))));
        refused("attnMask.size(0)=2 batch * heads=4", () -> torch.run(torchGood().attnMask(bools(2, 3, 3))));
        refused("attnMask.size(0)=4 queries=3", () -> torch.run(torchGood().attnMask(zeros(4, 3))));
        refused("dtype=INT32", () -> torch.run(torchGood().attnMask(scope.zeros(DType.INT32, 3, 3))));
        refused("weights.size(2)=4 keys and added rows=3", () -> torch.run(torchGood().weights(zeros(2, 3, 4))));
        refused("weights.size(1)=3 heads=2", () -> torch.run(torchGood().weights(zeros(2, 3, 3, 3))));
        refused("key has the wrong rank", () -> torch.apply(scope, x.select(0, 0), x, x));
    }

    @Test
    void generalizedInputs() {
        GeneralizedQueryAttention several = ModuleWeights.loaded(scope,
            GeneralizedQueryAttention.builder(6, 2).build(), 1);
        refused("queries=1 outs=0", () -> several.run(List.of(x), List.of(x), List.of()));
        refused("sources[1].size(2)=5 width=6",
            () -> several.run(List.of(x), List.of(x, zeros(2, 3, 5)), List.of(out)));
        refused("sources[0].size(0)=1 batch=2", () -> several.run(List.of(x), List.of(zeros(1, 3, 6)), List.of(out)));
        refused("outs[0].size(1)=2 queries=3", () -> several.run(List.of(x), List.of(x), List.of(zeros(2, 2, 6))));
        refused("outs[1] must not overlap outs[0]",
            () -> several.run(List.of(x, x), List.of(x), List.of(out, out)));
        refused("outs[0] must not overlap bias", () -> several.run(List.of(zeros(1, 1, 6)), List.of(zeros(1, 2, 6)),
            List.of(several.state().get("out_linear.bias").reshape(1, 1, 6))));
        GeneralizedInputs inputs = GeneralizedInputs.of(List.of(x), List.of(x, zeros(2, 2, 6)), List.of(out));
        refused("mask.shape=[3, 3] batch=2 heads=2 queries=3 keys=5", () -> several.run(inputs.mask(bools(3, 3))));
        refused("weights.size(3)=3 keys=5",
            () -> several.run(inputs.mask(null).weights(zeros(2, 2, 3, 3))));
        refused("queries.size()=0", () -> several.applyWithWeights(scope, GeneralizedInputs.of(List.of(), List.of(),
            null)));
        refused("batch=-1", () -> several.plan(-1, 1, 1));
        GeneralizedForward forward = several.plan(2, 3, 5);
        forward.close();
        thrown(IllegalStateException.class, "this GeneralizedForward is closed", () -> forward.run(inputs));
    }

    @Test
    void aCacheIsNotAppendedToWhenRefused() {
        RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(2).build(scope, 4)).build();
        GroupedQueryAttention grouped = ModuleWeights.loaded(scope,
            GroupedQueryAttention.builder(6, 2, 1).headDim(2).rotary(rotary).dropout(0.5).build(), 1);
        try (KeyValueCache cache = KeyValueCache.builder(2, 1, 2).build();
             KeyValueCache narrow = KeyValueCache.builder(2, 1, 3).build()) {
            ModuleInputs inputs = good().cache(cache);
            refused("keys=3", () -> grouped.run(inputs.mask(bools(3, 4))));
            refused("weights=FLOAT32[2, 2, 3, 3]", () -> grouped.run(good().cache(cache).weights(zeros(2, 2, 3, 3))));
            refused("2", () -> grouped.apply(scope, x, narrow));
            grouped.train();
            refused("dropout=0.5", () -> grouped.run(good().cache(cache).seed(1)));
            grouped.eval();
            assertEquals(0, cache.length());
            grouped.apply(scope, x, cache);
            refused("positions must lie within the tables: start=3 rows=3 positions=4",
                () -> grouped.apply(scope, x, cache));
            assertEquals(3, cache.length());
        }
        try (PagedKeyValueCache pages = PagedKeyValueCache.builder(1, 1, 2).pageSize(3).build();
             KeyValueCache cache = KeyValueCache.builder(2, 1, 2).build();
             PagedSequence first = pages.add("first"); PagedSequence second = pages.add("second")) {
            List<PagedSequence> both = List.of(first, second);
            refused("sequences=1 batch=2", () -> grouped.run(good().sequences(List.of(first))));
            refused("a forward takes a cache or sequences", () -> grouped.run(good().sequences(both).cache(cache)));
            refused("keys=3", () -> grouped.run(good().sequences(both).mask(bools(3, 4))));
            refused("sequences[0] and sequences[1] are first",
                () -> grouped.run(good().sequences(List.of(first, first))));
            thrown(IllegalStateException.class, "needed=2 free=1", () -> grouped.run(good().sequences(both)));
            assertEquals(0, first.length() + second.length() + cache.length());
        }
        thrown(NullPointerException.class, "cache must not be null",
            () -> grouped.apply(scope, x, (KeyValueCache) null));
        thrown(NullPointerException.class, "sequences must not be null",
            () -> grouped.apply(scope, x, (List<PagedSequence>) null));
        GroupedQueryAttention plain = ModuleWeights.loaded(scope, GroupedQueryAttention.builder(6, 2, 1).build(), 1);
        refused("rotary=none", () -> plain.run(good().positions(scope.zeros(DType.INT64, 1, 3))));
    }

    @Test
    void aCacheIsNotAppendedToWhereARingIsTooSmallForTheWindow() {
        GroupedQueryAttention grouped = ModuleWeights.loaded(scope,
            GroupedQueryAttention.builder(6, 2, 1).causal().window(2, -1).build(), 1);
        try (KeyValueCache ring = KeyValueCache.builder(2, 1, 3).ring(4).build()) {
            Tensor one = zeros(2, 1, 6);
            grouped.apply(scope, one, ring);
            grouped.apply(scope, one, ring);
            thrown(IllegalStateException.class, "oldest seen=0 oldest kept=1", () -> grouped.apply(scope, x, ring));
            assertEquals(2, ring.length());
            grouped.apply(scope, zeros(2, 2, 6), ring);
            assertEquals(4, ring.length());
        }
    }

    @Test
    void weightsAreNotWrittenWhereTheLastLayerCannotRun() {
        TorchMultiheadAttention late = TorchMultiheadAttention.builder(6, 2).batchFirst().build();
        Map<String, Tensor> state = ModuleWeights.of(scope, late, 1);
        TensorScope own = TensorScope.open();
        state.put("out_proj.weight", own.zeros(DType.FLOAT32, 6, 6));
        late.load(state);
        own.close();
        Tensor weights = Samples.marked(scope, 2, 3, 3);
        thrown(IllegalStateException.class, "this TensorScope is closed",
            () -> late.run(torchGood().weights(weights)));
        assertArrayEquals(Samples.marked(scope, 2, 3, 3).toFloatArray(), weights.toFloatArray());
    }

    @Test
    void aCacheIsNotAppendedToWhereTheLastLayersCannotRun() {
        for (String late : List.of("o_proj.weight", "o_proj.bias", "gate_proj.weight")) {
            GroupedQueryAttention grouped = GroupedQueryAttention.builder(6, 2, 1).withBias()
                .gating(Gating.ELEMENTWISE).build();
            Map<String, Tensor> state = ModuleWeights.of(scope, grouped, 1);
            TensorScope own = TensorScope.open();
            Tensor entry = own.zeros(DType.FLOAT32, 1, 6, 6);
            state.put(late, late.endsWith("bias") ? own.zeros(DType.FLOAT32, 6) : entry.select(0, 0));
            grouped.load(state);
            try (KeyValueCache cache = KeyValueCache.builder(2, 1, 3).build();
                 KeyValueCache single = KeyValueCache.builder(1, 1, 3).build();
                 PagedKeyValueCache pages = PagedKeyValueCache.builder(2, 1, 3).pageSize(3).build();
                 PagedSequence first = pages.add("first"); PagedSequence second = pages.add("second")) {
                if (late.equals("o_proj.weight")) {
                    refused("out must not overlap weight",
                        () -> grouped.run(ModuleInputs.of(zeros(1, 6, 6), entry).cache(single)));
                    assertEquals(0, single.length());
                }
                own.close();
                thrown(IllegalStateException.class, "this TensorScope is closed",
                    () -> grouped.run(good().cache(cache)));
                thrown(IllegalStateException.class, "this TensorScope is closed",
                    () -> grouped.run(good().sequences(List.of(first, second))));
                assertEquals(0, cache.length() + first.length() + second.length());
            }
        }
    }
}
