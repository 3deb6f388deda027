// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AttentionTest {
    /** batch, heads, kvHeads, queries, keys, headDim, valueDim: around tile and vector sizes, and degenerate ones. */
    private static final int[][] SHAPES = {
        {1, 1, 1, 1, 1, 1, 1}, {1, 2, 1, 3, 5, 7, 9}, {2, 4, 2, 17, 33, 64, 64}, {1, 3, 3, 31, 65, 65, 1},
        {3, 2, 2, 8, 8, 8, 16}, {1, 12, 12, 64, 64, 32, 32}, {1, 6, 2, 129, 127, 80, 48}, {2, 1, 1, 1, 300, 128, 128},
        {1, 1, 1, 100, 2, 3, 130}, {1, 2, 2, 7, 0, 16, 16}, {1, 2, 2, 0, 7, 16, 16}, {0, 2, 2, 3, 3, 16, 16},
        {1, 1, 1, 257, 513, 20, 24}};

    static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        Samples.isas().forEach(isa -> {
            for (int[] shape : SHAPES) {
                for (Alignment alignment : new Alignment[] {null, Alignment.BOTTOM_RIGHT, Alignment.TOP_LEFT}) {
                    cases.add(Arguments.of(isa, shape, alignment));
                }
            }
        });
        return cases.stream();
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("cases")
    void equalsTheReference(Isa isa, int[] s, Alignment alignment) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, s[0], s[1], s[3], s[5]);
            Tensor k = Samples.normal(scope, 2, s[0], s[2], s[4], s[5]);
            Tensor v = Samples.normal(scope, 3, s[0], s[2], s[4], s[6]);
            Tensor out = Samples.marked(scope, s[0], s[1], s[3], s[6]);
            Tensor lse = Samples.marked(scope, s[0], s[1], s[3]);
            Attention.Builder builder = Attention.builder().isa(isa);
            if (alignment != null) {
                builder.causal().alignment(alignment);
            }
            try (AttentionPlan plan = builder.build().plan(q, k, v, out)) {
                assertEquals(isa.label(), plan.isa());
                plan.run(q, k, v, out, lse, null, null);
            }
            long[] offsets = null;
            if (alignment != null) {
                offsets = new long[s[0]];
                java.util.Arrays.fill(offsets, alignment == Alignment.TOP_LEFT ? 0 : s[4] - s[3]);
            }
            Reference expected = Reference.of(q, k, v, 1 / Math.sqrt(s[5]), offsets, null);
            assertClose(expected, out, lse, s[5]);
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void readsAnyStrides(Isa isa) {
        try (TensorScope scope = TensorScope.open()) {
            // One packed projection [tokens, 3 * heads * dim], a batch of 2 sequences of 19 tokens.
            Tensor packed = Samples.normal(scope, 4, 38, 3 * 4 * 24);
            Tensor q = heads(packed.slice(1, 0, 96));
            Tensor k = heads(packed.slice(1, 96, 192));
            Tensor v = heads(packed.slice(1, 192, 288));
            Tensor out = scope.zeros(DType.FLOAT32, 2, 19, 4, 24).transpose(1, 2);
            try (AttentionPlan plan = Attention.builder().causal().scale(0.3f).isa(isa).build().plan(q, k, v, out)) {
                plan.run(q, k, v, out);
            }
            long[] offsets = {0, 0};
            assertClose(Reference.of(q, k, v, 0.3f, offsets, null), out, null, 24);
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void takesLengthsAndOffsetsOfEachRun(Isa isa) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 5, 4, 6, 5, 16);
            Tensor k = Samples.normal(scope, 6, 4, 2, 50, 16);
            Tensor v = Samples.normal(scope, 7, 4, 2, 50, 16);
            Tensor out = Samples.marked(scope, 4, 6, 5, 16);
            Tensor lse = Samples.marked(scope, 4, 6, 5);
            long[] lengths = {50, 0, 7, 33};
            long[] offsets = {45, 3, -2, 100};
            try (AttentionPlan plan = Attention.builder().causal().isa(isa).build().plan(q, k, v, out)) {
                plan.run(q, k, v, out, lse, scope.of(lengths, 4), scope.of(offsets, 4));
                assertClose(Reference.of(q, k, v, 0.25, offsets, lengths), out, lse, 16);
                // Fewer of everything, as slices of what was planned for.
                Tensor fewer = q.slice(0, 1, 3).slice(2, 0, 2);
                Tensor part = out.slice(0, 1, 3).slice(2, 0, 2);
                plan.run(fewer, k.slice(0, 1, 3).slice(2, 0, 9), v.slice(0, 1, 3).slice(2, 0, 9), part);
                assertClose(Reference.of(fewer, k.slice(0, 1, 3).slice(2, 0, 9), v.slice(0, 1, 3).slice(2, 0, 9), 0.25,
                    new long[] {7, 7}, null), part, null, 16);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void takesSequencesEndToEnd(Isa isa) {
        long[] lengths = {3, 0, 40, 1, 129};
        long[] cumulative = new long[lengths.length + 1];
        for (int b = 0; b < lengths.length; b++) {
            cumulative[b + 1] = cumulative[b] + lengths[b];
        }
        int total = (int) cumulative[lengths.length];
        try (TensorScope scope = TensorScope.open()) {
            Tensor packed = Samples.normal(scope, 8, total, 3 * 4 * 32);
            Tensor q = packed.slice(1, 0, 128).reshape(total, 4, 32);
            Tensor k = packed.slice(1, 128, 256).reshape(total, 4, 32);
            Tensor v = packed.slice(1, 256, 384).reshape(total, 4, 32);
            Tensor out = Samples.marked(scope, total, 4, 32);
            Tensor lse = Samples.marked(scope, 4, total);
            Tensor cu = scope.of(cumulative, lengths.length + 1);
            Attention attention = Attention.builder().ragged().isa(isa).build();
            try (AttentionPlan plan = attention.plan(q, k, v, out, cu, cu)) {
                plan.run(q, k, v, out, cu, cu, lse, null);
            }
            assertArrayEquals(out.toFloatArray(), attention.apply(scope, q, k, v, cu, cu).toFloatArray());
            for (int b = 0; b < lengths.length; b++) {
                Reference expected = Reference.of(sequence(q, cumulative, b), sequence(k, cumulative, b),
                    sequence(v, cumulative, b), 1 / Math.sqrt(32), null, null);
                assertTrue(expected.maxError(sequence(out, cumulative, b)) <= expected.tolerance(32));
                for (int h = 0; h < 4; h++) {
                    for (int i = 0; i < lengths[b]; i++) {
                        assertEquals(expected.lse[0][h][i], lse.at(h, cumulative[b] + i), 2e-6 * 8);
                    }
                }
            }
        }
    }

    @Test
    void oneShotGivesThePlansBits() {
        Attention attention = Attention.builder().causal().build();
        try (TensorScope scope = TensorScope.open()) {
            for (int queries : new int[] {5, 5, 9, 5}) {
                Tensor q = Samples.normal(scope, 9, 1, 2, queries, 8);
                Tensor k = Samples.normal(scope, 10, 1, 2, 11, 8);
                Tensor v = Samples.normal(scope, 11, 1, 2, 11, 8);
                Tensor out = scope.zeros(DType.FLOAT32, 1, 2, queries, 8);
                try (AttentionPlan plan = attention.plan(q, k, v, out)) {
                    plan.run(q, k, v, out);
                }
                assertArrayEquals(out.toFloatArray(), attention.apply(scope, q, k, v).toFloatArray());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void threadsDoNotChangeABit(Isa isa) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 12, 2, 3, 200, 64);
            Tensor k = Samples.normal(scope, 13, 2, 3, 200, 64);
            Tensor v = Samples.normal(scope, 14, 2, 3, 200, 64);
            float[] one = Attention.builder().isa(isa).threads(1).build().apply(scope, q, k, v).toFloatArray();
            float[] all = Attention.builder().isa(isa).threads(0).build().apply(scope, q, k, v).toFloatArray();
            assertArrayEquals(one, all);
        }
    }

    private static Tensor heads(Tensor columns) {
        return columns.reshape(2, 19, 4, 24).transpose(1, 2);
    }

    /** Sequence b of [total, heads, dim] as [1, heads, rows, dim]. */
    private static Tensor sequence(Tensor tensor, long[] cumulative, int b) {
        Tensor rows = tensor.slice(0, cumulative[b], cumulative[b + 1]).transpose(0, 1);
        return rows.reshape(1, rows.size(0), rows.size(1), rows.size(2));
    }

    private static void assertClose(Reference expected, Tensor out, Tensor lse, int headDim) {
        double tolerance = expected.tolerance(headDim);
        double error = expected.maxError(out);
        assertTrue(error <= tolerance, () -> "error=" + error + " tolerance=" + tolerance);
        for (int b = 0; lse != null && b < expected.lse.length; b++) {
            for (int h = 0; h < expected.lse[b].length; h++) {
                for (int i = 0; i < expected.lse[b][h].length; i++) {
                    assertEquals(expected.lse[b][h][i], lse.at(b, h, i), tolerance);
                }
            }
        }
    }
}
