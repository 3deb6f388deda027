// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The layers against doubles. The matrices are columns of wider ones, so that the row stride is not the width. */
class LayersTest {
    private final TensorScope scope = TensorScope.open();

    static Stream<Arguments> cases() {
        int[][] sizes = {{1, 1}, {3, 7}, {5, 16}, {2, 33}, {17, 384}, {0, 5}};
        return Samples.isas().flatMap(isa -> Stream.of(sizes).map(s -> Arguments.of(isa, s[0], s[1])));
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private Tensor strided(long seed, int rows, int width) {
        return Samples.normal(scope, seed, rows, width + 3).slice(1, 1, width + 1);
    }

    private Tensor result(int rows, int width) {
        return Samples.marked(scope, rows, width + 5).slice(1, 2, width + 2);
    }

    private static void assertClose(double expected, double actual, double tolerance) {
        assertEquals(expected, actual, tolerance * Math.max(1, Math.abs(expected)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void add(Isa isa, int rows, int width) {
        Tensor a = strided(1, rows, width);
        Tensor b = strided(2, rows, width);
        Tensor out = result(rows, width);
        Add.builder().isa(isa).build().run(a, b, out);
        for (int i = 0; i < rows * width; i++) {
            assertEquals(a.toFloatArray()[i] + b.toFloatArray()[i], out.toFloatArray()[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void layerNorm(Isa isa, int rows, int width) {
        Tensor x = strided(1, rows, width);
        Tensor residual = strided(2, rows, width);
        Tensor gamma = Samples.normal(scope, 3, width);
        Tensor beta = Samples.normal(scope, 4, width);
        LayerNorm layer = LayerNorm.builder(gamma, beta).epsilon(1e-12).isa(isa).build();
        Tensor out = result(rows, width);
        layer.run(x, residual, out);
        float[] xs = x.toFloatArray();
        float[] rs = residual.toFloatArray();
        for (int r = 0; r < rows; r++) {
            double mean = 0;
            double variance = 0;
            for (int c = 0; c < width; c++) {
                mean += ((double) xs[r * width + c] + rs[r * width + c]) / width;
            }
            for (int c = 0; c < width; c++) {
                variance += Math.pow((double) xs[r * width + c] + rs[r * width + c] - mean, 2) / width;
            }
            for (int c = 0; c < width && width > 1; c++) {
                double y = ((double) xs[r * width + c] + rs[r * width + c] - mean) / Math.sqrt(variance + 1e-12);
                assertClose(y * gamma.at(c) + beta.at(c), out.at(r, c), 5e-6);
            }
        }
        layer.run(x, residual, x);
        assertArrayEquals(out.toFloatArray(), x.toFloatArray());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void embed(Isa isa, int rows, int width) {
        Tensor table = strided(1, 11, width);
        int[] ids = new int[rows];
        for (int r = 0; r < rows; r++) {
            ids[r] = r * 7 % 11;
        }
        Embedding layer = Embedding.builder(table).isa(isa).build();
        Tensor out = result(rows, width);
        layer.run(scope.of(ids, rows), out);
        for (int r = 0; r < rows; r++) {
            assertArrayEquals(table.select(0, ids[r]).toFloatArray(), out.select(0, r).toFloatArray());
        }
        layer.runAdding(scope.of(ids, rows), out);
        for (int r = 0; r < rows; r++) {
            assertEquals(2 * table.at(ids[r], 0), out.at(r, 0));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void meanPool(Isa isa, int rows, int width) {
        Tensor x = strided(1, rows, width);
        Tensor out = result(3, width);
        long[] cu = {0, rows / 2, rows / 2, rows};
        MeanPool.builder().isa(isa).build().run(x, scope.of(cu, 4), out);
        for (int b = 0; b < 3; b++) {
            for (int c = 0; c < width; c++) {
                double sum = 0;
                for (long r = cu[b]; r < cu[b + 1]; r++) {
                    sum += x.at(r, c);
                }
                assertClose(cu[b] == cu[b + 1] ? 0 : sum / (cu[b + 1] - cu[b]), out.at(b, c), 1e-6);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void normalize(Isa isa, int rows, int width) {
        Tensor x = strided(1, rows, width);
        Tensor out = result(rows, width);
        Normalize.builder().isa(isa).build().run(x, out);
        for (int r = 0; r < rows; r++) {
            double square = 0;
            for (int c = 0; c < width; c++) {
                square += Math.pow(x.at(r, c), 2);
            }
            for (int c = 0; c < width; c++) {
                assertClose(x.at(r, c) / Math.sqrt(square), out.at(r, c), 1e-6);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void linear(Isa isa, int rows, int width) {
        int outputs = 19;
        Tensor x = strided(1, rows, width);
        Tensor weight = strided(2, outputs, width);
        Tensor turned = scope.zeros(DType.FLOAT32, width, outputs).copyFrom(weight.transpose(0, 1));
        Tensor bias = Samples.normal(scope, 3, outputs);
        Tensor residual = strided(4, rows, outputs);
        Tensor out = result(rows, outputs);
        Tensor other = result(rows, outputs);
        Linear.builder(weight).bias(bias).activation(Activation.GELU).isa(isa).build().run(x, residual, out);
        Linear.builder(turned).layout(WeightLayout.IN_OUT).bias(bias).isa(isa).build().run(x, other);
        Activation.GELU.run(other, other, isa, 0);
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < outputs; o++) {
                double sum = bias.at(o);
                for (int c = 0; c < width; c++) {
                    sum += (double) x.at(r, c) * weight.at(o, c);
                }
                assertClose(gelu(sum), other.at(r, o), 1e-5 * Math.sqrt(width));
                assertClose(gelu(sum) + residual.at(r, o), out.at(r, o), 1e-5 * Math.sqrt(width));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void linearOfBfloat16(Isa isa, int rows, int width) {
        int outputs = 19;
        Tensor x = strided(1, rows, width).cast(scope, DType.BFLOAT16);
        Tensor weight = Samples.normal(scope, 2, outputs, width).cast(scope, DType.BFLOAT16);
        Tensor bias = Samples.normal(scope, 3, outputs);
        Tensor residual = strided(4, rows, outputs);
        Tensor out = result(rows, outputs);
        Linear linear = Linear.builder(weight).bias(bias).activation(Activation.GELU).isa(isa).build();
        linear.run(x, residual, out);
        Tensor same = linear.apply(scope, x);
        assertEquals(DType.BFLOAT16, same.dtype());
        Tensor wide = x.cast(scope, DType.FLOAT32);
        Tensor wideWeight = weight.cast(scope, DType.FLOAT32);
        Tensor rounded = same.cast(scope, DType.FLOAT32);
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < outputs; o++) {
                double sum = bias.at(o);
                for (int c = 0; c < width; c++) {
                    sum += (double) wide.at(r, c) * wideWeight.at(o, c);
                }
                assertClose(gelu(sum) + residual.at(r, o), out.at(r, o), 1e-5 * Math.sqrt(width));
                assertClose(gelu(sum), rounded.at(r, o),
                    1e-5 * Math.sqrt(width) + Math.abs(gelu(sum)) / 256);
            }
        }
    }

    private static double gelu(double x) {
        return x / 2 * (1 + erf(x / Math.sqrt(2)));
    }

    /** The Maclaurin series, good to 1e-6 up to |x| = 5; beyond that erf is 1 to 1e-11. */
    private static double erf(double x) {
        if (Math.abs(x) > 5) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 150; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }
}
