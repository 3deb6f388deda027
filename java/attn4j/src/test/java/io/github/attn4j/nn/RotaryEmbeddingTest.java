// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

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

class RotaryEmbeddingTest {
    private static final long[][] POSITIONS = {{5, 0, 99}, {7, 7, 3}};

    static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        Samples.isas().forEach(isa -> {
            for (RotaryLayout layout : RotaryLayout.values()) {
                for (int rotaryDim : new int[] {2, 6, 16, 34}) {
                    cases.add(Arguments.of(isa, layout, rotaryDim));
                }
            }
        });
        return cases.stream();
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("cases")
    void turnsPairs(Isa isa, RotaryLayout layout, int rotaryDim) {
        try (TensorScope scope = TensorScope.open()) {
            RotaryTables tables = RotaryTables.builder(rotaryDim).base(500).build(scope, 100);
            RotaryEmbedding rotary = RotaryEmbedding.builder(tables).layout(layout).isa(isa).build();
            // A slice of a packed projection [batch, rows, heads * headDim], rotaryDim and more.
            Tensor packed = Samples.normal(scope, 1, 2, 3, 5 * 35);
            Tensor x = packed.slice(2, 35, 4 * 35).reshape(2, 3, 3, 35).transpose(1, 2);
            float[] before = x.toFloatArray();
            Tensor out = Samples.marked(scope, 2, 3, 3, 35);
            rotary.run(x, out, scope.of(new long[] {5, 0, 99, 7, 7, 3}, 2, 3));
            assertTurned(before, out, POSITIONS, layout, rotaryDim);
            rotary.run(x, out, scope.of(new long[] {7, 7, 3}, 1, 3));
            assertTurned(before, out, new long[][] {POSITIONS[1], POSITIONS[1]}, layout, rotaryDim);
            rotary.run(x, out, 97);
            assertTurned(before, out, new long[][] {{97, 98, 99}, {97, 98, 99}}, layout, rotaryDim);
            rotary.runFrom(x, out, scope.of(new long[] {0, 50}, 2));
            assertTurned(before, out, new long[][] {{0, 1, 2}, {50, 51, 52}}, layout, rotaryDim);
            float[] around = packed.slice(2, 4 * 35, 5 * 35).toFloatArray();
            float[] expected = out.toFloatArray();
            rotary.runFrom(x, x, scope.of(new long[] {0, 50}, 2));
            assertArrayEquals(expected, x.toFloatArray());
            assertArrayEquals(around, packed.slice(2, 4 * 35, 5 * 35).toFloatArray());
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void turnsSixteenBits(Isa isa) {
        try (TensorScope scope = TensorScope.open()) {
            RotaryTables tables = RotaryTables.builder(16).build(scope, 10);
            RotaryEmbedding rotary = RotaryEmbedding.builder(tables).isa(isa).build();
            for (DType type : new DType[] {DType.BFLOAT16, DType.FLOAT16}) {
                Tensor x = Samples.normal(scope, 1, 1, 2, 4, 20).cast(scope, type);
                Tensor wide = x.cast(scope, DType.FLOAT32);
                rotary.run(wide, wide, 3);
                rotary.run(x, x, 3);
                assertArrayEquals(wide.cast(scope, type).toShortArray(), x.toShortArray());
            }
        }
    }

    @Test
    void scoresDependOnDistancesOnly() {
        try (TensorScope scope = TensorScope.open()) {
            RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(32).build(scope, 2000)).build();
            Tensor q = Samples.normal(scope, 1, 1, 1, 1, 32);
            Tensor k = Samples.normal(scope, 2, 1, 1, 1, 32);
            double near = dot(turned(scope, rotary, q, 7), turned(scope, rotary, k, 3));
            double far = dot(turned(scope, rotary, q, 1996), turned(scope, rotary, k, 1992));
            assertEquals(near, far, 1e-4);
        }
    }

    @Test
    void tablesOfTheScalings() {
        double pi = Math.PI;
        assertTables(RotaryScaling.NONE, 1, d -> frequency(10000, d));
        assertTables(RotaryScaling.linear(4), 1, d -> frequency(10000, d) / 4);
        assertTables(RotaryScaling.ntk(4), 1, d -> frequency(10000 * Math.pow(4, 64.0 / 62), d));
        assertTables(RotaryScaling.llama3(8, 8192), 1, d -> {
            double wavelength = 2 * pi / frequency(10000, d);
            double smooth = Math.max(0, Math.min(1, (8192 / wavelength - 1) / 3));
            return (1 - smooth) * frequency(10000, d) / 8 + smooth * frequency(10000, d);
        });
        // The first and last pair of the ramp by the paper's formula, 64 ln(2048 / (2 pi r)) / (2 ln 10000).
        double low = 64 * Math.log(2048 / (32 * 2 * pi)) / (2 * Math.log(10000));
        double high = 64 * Math.log(2048 / (2 * pi)) / (2 * Math.log(10000));
        assertTables(RotaryScaling.yarn(16, 2048), 0.1 * Math.log(16) + 1,
            d -> ramped(d, Math.floor(low), Math.ceil(high)));
        assertTables(RotaryScaling.yarn(16, 2048).unrounded().attentionFactor(1.5), 1.5, d -> ramped(d, low, high));
    }

    @Test
    void firstPositionShiftsTheTables() {
        try (TensorScope scope = TensorScope.open()) {
            RotaryTables all = RotaryTables.builder(8).build(scope, 50);
            RotaryTables late = RotaryTables.builder(8).firstPosition(20).build(scope, 30);
            assertArrayEquals(all.cos().slice(0, 20, 50).toFloatArray(), late.cos().toFloatArray());
            assertArrayEquals(all.sin().slice(0, 20, 50).toFloatArray(), late.sin().toFloatArray());
        }
    }

    private interface Frequency {
        double of(int pair);
    }

    private static double frequency(double base, int pair) {
        return Math.pow(base, -2.0 * pair / 64);
    }

    private static double ramped(int pair, double low, double high) {
        double share = Math.max(0, Math.min(1, (pair - low) / (high - low)));
        return frequency(10000, pair) / 16 * share + frequency(10000, pair) * (1 - share);
    }

    private static void assertTables(RotaryScaling scaling, double factor, Frequency frequency) {
        try (TensorScope scope = TensorScope.open()) {
            RotaryTables tables = RotaryTables.builder(64).scaling(scaling).build(scope, 300);
            for (int p = 0; p < 300; p += 13) {
                for (int d = 0; d < 32; d++) {
                    assertEquals(factor * Math.cos(p * frequency.of(d)), tables.cos().at(p, d), 2e-7 * factor);
                    assertEquals(factor * Math.sin(p * frequency.of(d)), tables.sin().at(p, d), 2e-7 * factor);
                }
            }
        }
    }

    private static void assertTurned(float[] x, Tensor out, long[][] positions, RotaryLayout layout, int rotaryDim) {
        for (int b = 0; b < 2; b++) {
            for (int h = 0; h < 3; h++) {
                for (int row = 0; row < 3; row++) {
                    int at = ((b * 3 + h) * 3 + row) * 35;
                    for (int d = rotaryDim; d < 35; d++) {
                        assertEquals(x[at + d], out.at(b, h, row, d));
                    }
                    for (int d = 0; d < rotaryDim / 2; d++) {
                        double angle = positions[b][row] * Math.pow(500, -2.0 * d / rotaryDim);
                        int first = layout == RotaryLayout.PAIRS ? 2 * d : d;
                        int second = layout == RotaryLayout.PAIRS ? 2 * d + 1 : d + rotaryDim / 2;
                        double a = x[at + first];
                        double c = x[at + second];
                        assertEquals(a * Math.cos(angle) - c * Math.sin(angle), out.at(b, h, row, first), 1e-6);
                        assertEquals(c * Math.cos(angle) + a * Math.sin(angle), out.at(b, h, row, second), 1e-6);
                    }
                }
            }
        }
    }

    private static float[] turned(TensorScope scope, RotaryEmbedding rotary, Tensor x, long position) {
        Tensor out = scope.zeros(DType.FLOAT32, 1, 1, 1, 32);
        rotary.run(x, out, position);
        return out.toFloatArray();
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
