// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Shape;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Weights by name: all that is wrong in one exception, nothing changed by a failure, nothing copied. */
class ModuleLoadTest {
    private final TensorScope scope = TensorScope.open();
    private final MultiHeadAttention module = MultiHeadAttention.builder(6, 2).build();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void everythingWrongIsListedAtOnce() {
        Map<String, Tensor> state = new LinkedHashMap<>(ModuleWeights.of(scope, module, 1));
        state.remove("out.bias");
        state.put("q_linear.weight", scope.zeros(DType.FLOAT32, 6, 5));
        state.put("k_linear.bias", scope.zeros(DType.BFLOAT16, 6));
        state.put("v_linear.weight", Samples.normal(scope, 1, 6, 6).transpose(0, 1));
        state.put("extra", scope.zeros(DType.FLOAT32, 1));
        state.put("k_linear.weight", null);
        for (String part : List.of("missing=[k_linear.weight, out.bias]", "unexpected=[extra]",
            "q_linear.weight=FLOAT32[6, 5] expected=FLOAT32[6, 6]", "k_linear.bias=BFLOAT16[6] expected=FLOAT32[6]",
            "v_linear.weight with strides")) {
            refused(part, () -> module.load(state));
        }
        thrown(NullPointerException.class, "state must not be null", () -> module.load(null));
    }

    @Test
    void aFailedLoadChangesNothing() {
        Tensor x = Samples.normal(scope, 1, 1, 4, 6);
        thrown(IllegalStateException.class, "load()", () -> module.apply(scope, x, x, x));
        thrown(IllegalStateException.class, "load()", module::state);
        Map<String, Tensor> state = ModuleWeights.of(scope, module, 1);
        module.load(state);
        float[] before = module.apply(scope, x, x, x).toFloatArray();
        Map<String, Tensor> other = new LinkedHashMap<>(ModuleWeights.of(scope, module, 2));
        Tensor last = other.remove("out.bias");
        refused("missing=[out.bias]", () -> module.load(other));
        assertArrayEquals(before, module.apply(scope, x, x, x).toFloatArray());
        assertSame(state.get("out.bias"), module.state().get("out.bias"));
        other.put("out.bias", last);
        module.load(other);
        assertFalse(java.util.Arrays.equals(before, module.apply(scope, x, x, x).toFloatArray()));
    }

    @Test
    void weightsAreViewsOfWhatWasLoaded() {
        TorchMultiheadAttention torch = TorchMultiheadAttention.builder(6, 2).batchFirst().addBiasKv().build();
        Map<String, Tensor> state = ModuleWeights.of(scope, torch, 1);
        torch.load(state);
        module.load(ModuleWeights.of(scope, module, 1));
        Tensor x = Samples.normal(scope, 1, 1, 4, 6);
        float[] before = torch.apply(scope, x, x, x).toFloatArray();
        state.get("in_proj_weight").copyFrom(Samples.normal(7, 108));
        float[] after = torch.apply(scope, x, x, x).toFloatArray();
        assertFalse(java.util.Arrays.equals(before, after));
        state.forEach((name, tensor) -> assertSame(tensor, torch.state().get(name)));
        assertThrows(UnsupportedOperationException.class, () -> torch.state().clear());
    }

    @Test
    void newBiasRowsAreUsedByMemoryThatHadTheOld() {
        TorchMultiheadAttention torch = TorchMultiheadAttention.builder(6, 2).addBiasKv().addZeroAttn().build();
        Map<String, Tensor> state = new LinkedHashMap<>(ModuleWeights.of(scope, torch, 1));
        Tensor x = Samples.normal(scope, 1, 4, 2, 6);
        Tensor out = scope.zeros(DType.FLOAT32, 4, 2, 6);
        try (TorchForward forward = torch.plan(2, 4, 4)) {
            for (long seed = 1; seed < 3; seed++) {
                state.put("bias_k", Samples.normal(scope, seed, 1, 1, 6));
                state.put("bias_v", Samples.normal(scope, seed + 5, 1, 1, 6));
                torch.load(state);
                forward.run(TorchInputs.of(x, x, x, out));
                TorchMultiheadAttention fresh = TorchMultiheadAttention.builder(6, 2).addBiasKv().addZeroAttn().build();
                fresh.load(state);
                assertArrayEquals(fresh.apply(scope, x, x, x).toFloatArray(), out.toFloatArray());
            }
        }
    }

    @Test
    void namesAreThoseOfPyTorch() {
        assertEquals(List.of("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"),
            List.copyOf(TorchMultiheadAttention.builder(4, 2).build().parameters().keySet()));
        Map<String, Shape> separate = TorchMultiheadAttention.builder(4, 2).kdim(3).vdim(5).addBiasKv().withoutBias()
            .build().parameters();
        assertEquals(Map.of("q_proj_weight", Shape.of(4, 4), "k_proj_weight", Shape.of(4, 3), "v_proj_weight",
            Shape.of(4, 5), "bias_k", Shape.of(1, 1, 4), "bias_v", Shape.of(1, 1, 4), "out_proj.weight",
            Shape.of(4, 4)), separate);
        Map<String, Shape> grouped = GroupedQueryAttention.builder(10, 4, 2).headDim(3).queryKeyNorm(1e-6)
            .gating(Gating.HEADWISE).build().parameters();
        assertEquals(Map.of("q_proj.weight", Shape.of(12, 10), "k_proj.weight", Shape.of(6, 10), "v_proj.weight",
            Shape.of(6, 10), "q_norm.weight", Shape.of(3), "k_norm.weight", Shape.of(3), "gate_proj.weight",
            Shape.of(4, 10), "o_proj.weight", Shape.of(10, 12)), grouped);
        assertTrue(MultiHeadedAttention.builder(4, 1).build().parameters().containsKey("linears.3.bias"));
    }
}
