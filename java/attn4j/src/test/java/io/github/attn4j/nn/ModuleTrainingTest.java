// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Dropout, its seeds, and modules shared by threads. */
class ModuleTrainingTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, 4, 64, 12);

    @AfterEach
    void close() {
        scope.close();
    }

    /** The share of weights that are 0, and that the others are those of eval() divided by 1 - p. */
    private static double dropped(WeightedOutput eval, WeightedOutput train, double p) {
        float[] kept = eval.weights().toFloatArray();
        float[] weights = train.weights().toFloatArray();
        int zeros = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] == 0) {
                zeros++;
            } else {
                assertEquals(kept[i] / (1 - p), weights[i], 1e-5);
            }
        }
        return (double) zeros / weights.length;
    }

    @Test
    void aTenthIsDroppedByDefault() {
        MultiHeadedAttention module = ModuleWeights.loaded(scope, MultiHeadedAttention.builder(12, 3).build(), 1);
        assertFalse(module.isTraining());
        WeightedOutput eval = module.applyWithWeights(scope, ModuleInputs.of(x, null));
        module.train();
        assertTrue(module.isTraining());
        WeightedOutput train = module.applyWithWeights(scope, ModuleInputs.of(x, null).seed(11));
        // 49152 draws: 0.1 within five deviations of the mean.
        assertEquals(0.1, dropped(eval, train, 0.1), 5 * Math.sqrt(0.1 * 0.9 / 49152));
        module.eval();
        WeightedOutput again = module.applyWithWeights(scope, ModuleInputs.of(x, null));
        assertArrayEquals(eval.out().toFloatArray(), again.out().toFloatArray());
    }

    @Test
    void aSeedSaysWhatIsDropped() {
        TorchMultiheadAttention module = ModuleWeights.loaded(scope,
            TorchMultiheadAttention.builder(12, 3).batchFirst().dropout(0.5).build(), 1);
        WeightedOutput eval = module.applyWithWeights(scope, TorchInputs.of(x, x, x, null));
        module.train();
        TorchInputs seeded = TorchInputs.of(x, x, x, null).seed(5);
        WeightedOutput first = module.applyWithWeights(scope, seeded);
        assertEquals(0.5, dropped(eval, first, 0.5), 5 * Math.sqrt(0.25 / 49152));
        assertArrayEquals(first.out().toFloatArray(), module.apply(scope, seeded).toFloatArray());
        assertFalse(Arrays.equals(first.out().toFloatArray(), module.apply(scope, seeded.seed(6)).toFloatArray()));
        MultiHeadSelfAttention without = ModuleWeights.loaded(scope, MultiHeadSelfAttention.builder(12, 3).build(), 1);
        without.train();
        assertTrue(without.apply(scope, x).elements() > 0);
    }

    /** One query and one source are what a module of separate inputs computes, dropout and all, to the last bit. */
    @Test
    void oneQueryAndOneSourceAreMultiHeadAttention() {
        MultiHeadAttention plain = ModuleWeights.loaded(scope, MultiHeadAttention.builder(12, 3).dropout(0.5).build(),
            1);
        Map<String, Tensor> state = new LinkedHashMap<>();
        plain.state().forEach((name, tensor) -> state.put(name.replace("q_", "query_").replace("k_", "key_")
            .replace("v_", "value_").replace("out.", "out_linear."), tensor));
        GeneralizedQueryAttention several = GeneralizedQueryAttention.builder(12, 3).dropout(0.5).build();
        several.load(state);
        plain.train();
        several.train();
        GeneralizedInputs inputs = GeneralizedInputs.of(List.of(x), List.of(x), null);
        thrown(IllegalStateException.class, "dropout=0.5 seed=none", () -> several.apply(scope, inputs));
        WeightedOutput expected = plain.applyWithWeights(scope, ModuleInputs.of(x, x, x, null).seed(7));
        WeightedOutputs actual = several.applyWithWeights(scope, inputs.seed(7));
        assertArrayEquals(expected.out().toFloatArray(), actual.outs().get(0).toFloatArray());
        assertArrayEquals(expected.weights().toFloatArray(), actual.weights().toFloatArray());
    }

    @Test
    void theLastWeightsAreKept() {
        MultiHeadedAttention module = ModuleWeights.loaded(scope,
            MultiHeadedAttention.builder(12, 3).keepWeights().build(), 1);
        assertNull(module.lastWeights());
        module.apply(scope, x, x, x);
        float[] kept = module.lastWeights().toFloatArray();
        WeightedOutput output = module.applyWithWeights(scope, ModuleInputs.of(x, null));
        assertSame(output.weights(), module.lastWeights());
        assertArrayEquals(kept, output.weights().toFloatArray());
    }

    @Test
    void threadsShareAModule() throws Exception {
        MultiHeadAttention plain = ModuleWeights.loaded(scope, MultiHeadAttention.builder(12, 3).build(), 1);
        TorchMultiheadAttention torch = ModuleWeights.loaded(scope,
            TorchMultiheadAttention.builder(12, 3).addBiasKv().addZeroAttn().build(), 2);
        GeneralizedQueryAttention several = ModuleWeights.loaded(scope,
            GeneralizedQueryAttention.builder(12, 3).build(), 3);
        ExecutorService executor = Executors.newFixedThreadPool(6);
        try (Forward shared = plain.plan(4, 64, 64)) {
            List<Future<?>> calls = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                long batch = 1 + i % 4;
                Tensor part = x.slice(0, 0, batch);
                float[] expected = plain.apply(scope, part, part, part).toFloatArray();
                float[] expectedTorch = torch.apply(scope, part, part, part).toFloatArray();
                float[] expectedSeveral = several.apply(scope, List.of(part), List.of(part, part)).get(0)
                    .toFloatArray();
                calls.add(executor.submit(() -> {
                    for (int round = 0; round < 30; round++) {
                        try (TensorScope own = TensorScope.open()) {
                            assertArrayEquals(expected, plain.apply(own, part, part, part).toFloatArray());
                            Tensor out = own.zeros(part.dtype(), part.shape());
                            shared.run(ModuleInputs.of(part, out));
                            assertArrayEquals(expected, out.toFloatArray());
                            assertArrayEquals(expectedTorch, torch.apply(own, part, part, part).toFloatArray());
                            assertArrayEquals(expectedSeveral,
                                several.apply(own, List.of(part), List.of(part, part)).get(0).toFloatArray());
                        }
                    }
                }));
            }
            for (Future<?> call : calls) {
                call.get();
            }
        } finally {
            executor.shutdown();
        }
    }
}
