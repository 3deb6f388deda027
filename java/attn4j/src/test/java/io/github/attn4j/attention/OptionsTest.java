// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the options do for a caller; that they compute the right numbers is for DifferentialTest. */
class OptionsTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor q = Samples.normal(scope, 1, 2, 4, 5, 8);
    private final Tensor k = Samples.normal(scope, 2, 2, 2, 9, 8);
    private final Tensor v = Samples.normal(scope, 3, 2, 2, 9, 8);

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void aPlanExplainsItself() {
        try (AttentionPlan plan = Attention.builder().build().plan(q, k, v, scope.zeros(DType.FLOAT32, 2, 4, 5, 8))) {
            String text = plan.explain();
            assertTrue(text.contains("isa=" + plan.isa()) && text.contains("tasks="), text);
            assertTrue(text.contains("workspace="), text);
            assertTrue(text.lines().count() == 1, text);
        }
        // Few queries and keys, few queries, many of both: each has a kernel and a reason.
        for (int[] sizes : new int[][] {{5, 9}, {1, 900}, {70, 900}}) {
            String text = explain(sizes[0], sizes[1]);
            assertTrue(text.matches("kernel=[a-z0-9-]+ \\([^)]+\\) isa=[a-z0-9]+ \\([^)]+\\) .*"), text);
        }
        assertTrue(explain(70, 900).startsWith("kernel=fused-forward (many queries a kvHead)"), () -> explain(70, 900));
    }

    private String explain(int queries, int keys) {
        Tensor many = scope.zeros(DType.FLOAT32, 1, 2, keys, 8);
        Tensor some = many.slice(2, 0, queries);
        try (AttentionPlan plan = Attention.builder().build().plan(some, many, many,
            scope.zeros(DType.FLOAT32, 1, 2, queries, 8))) {
            return plan.explain();
        }
    }

    @Test
    void aResultHasTheTypeOfTheQueries() {
        for (DType type : new DType[] {DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16}) {
            Tensor out = Attention.builder().build().apply(scope, q.cast(scope, type), k, v);
            assertEquals(type, out.dtype());
            assertEquals(q.shape(), out.shape());
        }
    }

    @Test
    void weightsOfAHeadSumToOne() {
        Tensor weights = scope.zeros(DType.FLOAT32, 2, 4, 5, 9);
        Attention.builder().weights().build().apply(scope, AttentionInputs.of(q, k, v, null).scores(weights));
        Tensor averaged = scope.zeros(DType.FLOAT32, 2, 5, 9);
        Attention.builder().averagedWeights().build().apply(scope, AttentionInputs.of(q, k, v, null).scores(averaged));
        for (int i = 0; i < 5; i++) {
            double sum = 0;
            for (int j = 0; j < 9; j++) {
                sum += weights.at(1, 2, i, j);
                double mean = 0;
                for (int h = 0; h < 4; h++) {
                    mean += weights.at(1, h, i, j) / 4;
                }
                assertEquals(mean, averaged.at(1, i, j), 1e-6);
            }
            assertEquals(1, sum, 1e-6);
        }
    }

    @Test
    void aSeedDrawsTheSameWeightsAgain() {
        Attention attention = Attention.builder().dropout(0.5).build();
        AttentionInputs inputs = AttentionInputs.of(q, k, v, null);
        float[] first = attention.apply(scope, inputs.seed(1)).toFloatArray();
        float[] other = attention.apply(scope, inputs.seed(2)).toFloatArray();
        assertArrayEquals(first, attention.apply(scope, inputs.seed(1)).toFloatArray());
        assertTrue(!java.util.Arrays.equals(first, other));
    }

    @Test
    void theCachedPlanIsThatOfTheInputs() {
        Attention attention = Attention.builder().build();
        AttentionInputs inputs = AttentionInputs.of(q, k, v, null);
        float[] plain = attention.apply(scope, inputs).toFloatArray();
        Tensor none = scope.zeros(DType.BOOL, 1, 1, 1, 1);
        assertArrayEquals(new float[plain.length], attention.apply(scope, inputs.mask(none)).toFloatArray());
        Tensor perKey = scope.of(new boolean[] {true, true, true, true, true, true, true, true, true}, 9);
        assertArrayEquals(plain, attention.apply(scope, inputs.mask(perKey)).toFloatArray());
        Tensor perRow = scope.zeros(DType.FLOAT32, 5, 1);
        assertArrayEquals(plain, attention.apply(scope, inputs.mask(null).bias(perRow)).toFloatArray());
        Tensor square = scope.zeros(DType.FLOAT32, 2, 1, 5, 9);
        assertArrayEquals(plain, attention.apply(scope, inputs.bias(square)).toFloatArray());
        assertArrayEquals(plain, attention.apply(scope, inputs.clear().operands(q, k, v, null)).toFloatArray());
    }

    @Test
    void fewerRowsAreSlicesOfWhatWasPlanned() {
        Tensor mask = scope.zeros(DType.BOOL, 2, 1, 5, 9);
        boolean[] kept = new boolean[90];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = i % 3 != 0;
        }
        mask.copyFrom(kept);
        Tensor out = scope.zeros(DType.FLOAT32, 2, 4, 5, 8);
        AttentionInputs inputs = AttentionInputs.of(q, k, v, out).mask(mask);
        try (AttentionPlan plan = Attention.builder().build().plan(inputs)) {
            plan.run(inputs.operands(q.slice(2, 1, 4), k.slice(2, 0, 7), v.slice(2, 0, 7), out.slice(2, 1, 4))
                .mask(mask.slice(2, 1, 4).slice(3, 0, 7)));
        }
        Definition definition = new Definition();
        definition.scale = 1 / Math.sqrt(8);
        definition.mask = (b, h, i, j) -> kept[b * 45 + (i + 1) * 9 + j];
        Reference expected = Reference.of(definition, q.slice(2, 1, 4), k.slice(2, 0, 7), v.slice(2, 0, 7), null, null);
        assertTrue(expected.maxError(out.slice(2, 1, 4)) <= expected.tolerance(8));
    }

    @Test
    void aRaggedMaskCountsWithinEachSequence() {
        Tensor rows = Samples.normal(scope, 4, 7, 2, 8);
        Tensor cu = scope.of(new long[] {0, 3, 7}, 3);
        boolean[] kept = {true, false, false, false, false, true, false, false, false, false, true, false, false, false,
            false, true};
        AttentionInputs inputs = AttentionInputs.of(rows, rows, rows, null).cumulative(cu, cu)
            .mask(scope.of(kept, 4, 4));
        Attention ragged = Attention.builder().ragged().build();
        assertArrayEquals(rows.toFloatArray(), ragged.apply(scope, inputs).toFloatArray());
    }
}
