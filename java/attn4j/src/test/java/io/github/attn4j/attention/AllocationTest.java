// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.SteadyState.assertAllocatesNothing;

import io.github.attn4j.Samples;
import io.github.attn4j.nn.Activation;
import io.github.attn4j.nn.LayerNorm;
import io.github.attn4j.nn.Linear;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import org.junit.jupiter.api.Test;

/** A steady-state call allocates nothing in Java. */
class AllocationTest {
    @Test
    void plannedRuns() {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 1, 2, 3, 8);
            Tensor out = scope.zeros(DType.FLOAT32, 1, 2, 3, 8);
            Tensor lse = scope.zeros(DType.FLOAT32, 1, 2, 3);
            Tensor length = scope.of(new long[] {3}, 1);
            try (AttentionPlan plan = Attention.builder().causal().build().plan(q, q, q, out)) {
                assertAllocatesNothing(() -> plan.run(q, q, q, out, lse, length, length));
            }
            AttentionInputs inputs = AttentionInputs.of(q, q, q, out);
            Tensor bias = scope.zeros(DType.FLOAT32, 3, 3);
            Cancellation cancellation = Cancellation.create();
            try (AttentionPlan plan = Attention.builder().window(1, 1).build().plan(inputs.bias(bias))) {
                assertAllocatesNothing(() -> plan.run(inputs.operands(q, q, q, out).lse(lse).offsets(length).seed(3)
                    .cancellation(cancellation)));
            }
            Tensor rows = Samples.normal(scope, 1, 6, 2, 8);
            Tensor result = scope.zeros(DType.FLOAT32, 6, 2, 8);
            Tensor cu = scope.of(new long[] {0, 2, 6}, 3);
            try (AttentionPlan plan = Attention.builder().ragged().build().plan(rows, rows, rows, result, cu, cu)) {
                assertAllocatesNothing(() -> plan.run(rows, rows, rows, result, cu, cu));
            }
        }
    }

    @Test
    void layers() {
        try (TensorScope scope = TensorScope.open()) {
            Tensor x = Samples.normal(scope, 1, 4, 8);
            Tensor out = scope.zeros(DType.FLOAT32, 4, 8);
            Tensor vector = Samples.normal(scope, 2, 8);
            Linear linear = Linear.builder(Samples.normal(scope, 3, 8, 8)).bias(vector).build();
            LayerNorm norm = LayerNorm.builder(vector, vector).build();
            assertAllocatesNothing(() -> {
                linear.run(x, out);
                norm.run(out, x, out);
                Activation.GELU.run(out, out);
            });
        }
    }
}
