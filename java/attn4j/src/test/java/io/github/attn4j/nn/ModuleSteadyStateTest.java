// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.SteadyState;
import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.PagedKeyValueCache;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A planned forward allocates nothing once it has run, and gives what apply gives, whatever sizes came before. */
class ModuleSteadyStateTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, 2, 3, 8);
    private final Tensor out = scope.zeros(DType.FLOAT32, 2, 3, 8);

    @AfterEach
    void close() {
        scope.close();
    }

    private void expectNoAllocation(ProjectedAttention module, ModuleInputs inputs) {
        ModuleWeights.loaded(scope, module, 1);
        try (Forward forward = module.plan(2, 3, 3)) {
            SteadyState.assertAllocatesNothing(() -> forward.run(inputs));
        }
    }

    @Test
    void modules() {
        Tensor mask = scope.of(new boolean[] {true, true, false, true, true, true, false, true, true}, 1, 3, 3);
        Tensor weights = scope.zeros(DType.FLOAT32, 2, 2, 3, 3);
        MultiHeadAttention dropping = MultiHeadAttention.builder(8, 2).build();
        dropping.train();
        expectNoAllocation(dropping, ModuleInputs.of(x, out).mask(mask).weights(weights).seed(3));
        expectNoAllocation(SelfAttention.builder(8).build(), ModuleInputs.of(x, out));
        expectNoAllocation(GatedSelfAttention.builder(8).build(), ModuleInputs.of(x, out));
        RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(4).build(scope, 16)).build();
        expectNoAllocation(GroupedQueryAttention.builder(8, 2, 1).causal().rotary(rotary).queryKeyNorm(1e-6)
            .gating(Gating.HEADWISE).build(), ModuleInputs.of(x, out));
    }

    @Test
    void torch() {
        Tensor padding = scope.of(new boolean[] {false, false, true, true, false, false}, 2, 3);
        Tensor pairs = Samples.normal(scope, 2, 4, 3, 3);
        for (boolean extra : new boolean[] {false, true}) {
            TorchMultiheadAttention.Builder builder = TorchMultiheadAttention.builder(8, 2).batchFirst();
            TorchMultiheadAttention module = (extra ? builder.addBiasKv().addZeroAttn() : builder).build();
            ModuleWeights.loaded(scope, module, 1);
            Tensor weights = scope.zeros(DType.FLOAT32, 2, 3, extra ? 5 : 3);
            TorchInputs inputs = TorchInputs.of(x, x, x, out).keyPaddingMask(padding).attnMask(pairs).isCausal(true)
                .weights(weights);
            try (TorchForward forward = module.plan(2, 3, 3)) {
                SteadyState.assertAllocatesNothing(() -> forward.run(inputs));
            }
        }
    }

    /** Token after token: a cache that is full is cleared and filled again, a ring goes on. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"FLOAT32", "BFLOAT16", "FLOAT16", "INT8"})
    void decoding(DType type) {
        RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(4).build(scope, 24)).build();
        GroupedQueryAttention module = ModuleWeights.loaded(scope, GroupedQueryAttention.builder(8, 2, 1).causal()
            .window(5, 0).rotary(rotary).queryKeyNorm(1e-6).gating(Gating.ELEMENTWISE).build(), 1);
        Tensor token = x.slice(1, 0, 1);
        Tensor next = scope.zeros(DType.FLOAT32, 2, 1, 8);
        Tensor position = scope.of(new long[] {7}, 1, 1);
        Tensor seen = scope.of(new boolean[] {true, true, false, true, true, true}, 1, 6);
        try (KeyValueCache cache = KeyValueCache.builder(2, 1, 4).dtype(type).chunk(5).build();
             KeyValueCache ring = KeyValueCache.builder(2, 1, 4).dtype(type).ring(6).build();
             PagedKeyValueCache paged = PagedKeyValueCache.builder(20, 1, 4).dtype(type).pageSize(5).build();
             PagedSequence first = paged.add("first"); PagedSequence second = paged.add("second");
             Forward forward = module.plan(2, 1, 1)) {
            ModuleInputs grown = ModuleInputs.of(token, next).cache(cache);
            ModuleInputs turned = ModuleInputs.of(token, next).cache(ring).positions(position);
            ModuleInputs pages = ModuleInputs.of(token, next).sequences(List.of(first, second));
            Runnable step = () -> {
                if (cache.length() == 24) {
                    cache.clear();
                    first.clear();
                    second.clear();
                }
                forward.run(grown);
                forward.run(turned);
                forward.run(pages);
            };
            for (int i = 0; i < 24; i++) {
                step.run();
            }
            SteadyState.assertAllocatesNothing(step);
            turned.mask(seen);
            SteadyState.assertAllocatesNothing(() -> forward.run(turned));
        }
    }

    @Test
    void severalQueriesAndSources() {
        GeneralizedQueryAttention module = ModuleWeights.loaded(scope,
            GeneralizedQueryAttention.builder(8, 2).dropout(0.5).build(), 1);
        module.train();
        Tensor other = Samples.normal(scope, 2, 2, 4, 8);
        Tensor otherOut = scope.zeros(DType.FLOAT32, 2, 4, 8);
        boolean[] keep = new boolean[7 * 10];
        for (int i = 0; i < keep.length; i++) {
            keep[i] = i % 3 > 0;
        }
        Tensor weights = scope.zeros(DType.FLOAT32, 2, 2, 7, 10);
        List<Tensor> queries = List.of(x, other);
        List<Tensor> sources = List.of(other, x, x);
        GeneralizedInputs inputs = GeneralizedInputs.of(queries, sources, List.of(out, otherOut))
            .mask(scope.of(keep, 1, 7, 10)).weights(weights).seed(3);
        try (GeneralizedForward forward = module.plan(2, 7, 10)) {
            SteadyState.assertAllocatesNothing(() -> forward.run(inputs));
        }
        WeightedOutputs simple = module.applyWithWeights(scope, inputs);
        assertArrayEquals(simple.outs().get(1).toFloatArray(), otherOut.toFloatArray());
        assertArrayEquals(simple.weights().toFloatArray(), weights.toFloatArray());
    }

    @Test
    void sizesComeAndGo() {
        MultiHeadAttention module = ModuleWeights.loaded(scope, MultiHeadAttention.builder(8, 2).build(), 1);
        TorchMultiheadAttention torch = ModuleWeights.loaded(scope, TorchMultiheadAttention.builder(8, 2).addZeroAttn()
            .build(), 1);
        int[][] sizes = {{2, 3, 3}, {1, 9, 2}, {2, 3, 3}, {3, 1, 30}, {0, 2, 2}, {1, 1, 1}};
        try (Forward forward = module.plan(1, 1, 1); TorchForward torchForward = torch.plan(2, 4, 4)) {
            for (int[] s : sizes) {
                Tensor query = Samples.normal(scope, 2, s[0], s[1], 8);
                Tensor key = Samples.normal(scope, 3, s[0], s[2], 8);
                Tensor result = scope.zeros(DType.FLOAT32, s[0], s[1], 8);
                forward.run(ModuleInputs.of(query, key, key, result));
                assertArrayEquals(module.apply(scope, query, key, key).toFloatArray(), result.toFloatArray());
                Tensor second = Samples.normal(scope, 4, s[1], s[0], 8);
                Tensor first = Samples.normal(scope, 5, s[2], s[0], 8);
                Tensor other = Samples.normal(scope, 6, s[2], s[0], 8);
                Tensor y = scope.zeros(DType.FLOAT32, s[1], s[0], 8);
                for (Tensor value : new Tensor[] {first, other}) {
                    torchForward.run(TorchInputs.of(second, first, value, y));
                    assertArrayEquals(torch.apply(scope, second, first, value).toFloatArray(), y.toFloatArray());
                }
            }
        }
    }

    @Test
    void outMayBeTheQuery() {
        MultiHeadSelfAttention module = ModuleWeights.loaded(scope, MultiHeadSelfAttention.builder(8, 2).build(), 1);
        GatedSelfAttention gated = ModuleWeights.loaded(scope, GatedSelfAttention.builder(8).build(), 1);
        SelfAttention plain = ModuleWeights.loaded(scope, SelfAttention.builder(8).build(), 1);
        for (ProjectedAttention each : new ProjectedAttention[] {module, gated, plain}) {
            float[] expected = each.apply(scope, ModuleInputs.of(x, null)).toFloatArray();
            Tensor over = scope.zeros(DType.FLOAT32, 2, 3, 8).copyFrom(x);
            each.run(ModuleInputs.of(over, over));
            assertArrayEquals(expected, over.toFloatArray());
        }
    }
}
