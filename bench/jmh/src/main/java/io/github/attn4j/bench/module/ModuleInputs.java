// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import io.github.attn4j.bench.Numbers;

/**
 * Input and weights, as PyTorch's nn.MultiheadAttention has them: x [batch, rows, width], inWeight [3 width, width]
 * with queries, keys and values one after the other, inBias [3 width], outWeight [width, width], outBias [width].
 */
public record ModuleInputs(ModuleShape shape, float[] x, float[] inWeight, float[] inBias, float[] outWeight,
        float[] outBias, int threads) {
    private static final int CHECKED_ROWS = 3;

    /** {@return inputs that are the same at every call} */
    public static ModuleInputs of(ModuleShape s, int threads) {
        long width = s.width();
        double scale = 1 / Math.sqrt(width);
        return new ModuleInputs(s, Numbers.normal(s.batch() * s.rows() * width, 1, 5),
                Numbers.normal(3 * width * width, scale, 1), Numbers.normal(3 * width, 1, 2),
                Numbers.normal(width * width, scale, 3), Numbers.normal(width, 1, 4), threads);
    }

    /** {@return the largest difference of some rows of the first sequence from the definition in doubles} */
    public double error(float[] out) {
        if (out.length != x.length) {
            throw new IllegalArgumentException("the output must have batch * rows * width numbers: output="
                    + out.length + " expected=" + x.length);
        }
        int width = shape.width();
        double[][] keys = new double[shape.rows()][];
        double[][] values = new double[shape.rows()][];
        for (int j = 0; j < shape.rows(); j++) {
            double[] row = row(j);
            keys[j] = projected(row, inWeight, inBias, width);
            values[j] = projected(row, inWeight, inBias, 2 * width);
        }
        double worst = 0;
        for (int n = 0; n < CHECKED_ROWS; n++) {
            int i = n * (shape.rows() - 1) / (CHECKED_ROWS - 1);
            double[] joined = attended(projected(row(i), inWeight, inBias, 0), keys, values);
            double[] expected = projected(joined, outWeight, outBias, 0);
            for (int o = 0; o < width; o++) {
                worst = Math.max(worst, Math.abs(expected[o] - out[i * width + o]));
            }
        }
        return worst;
    }

    private double[] row(int i) {
        double[] row = new double[shape.width()];
        for (int c = 0; c < row.length; c++) {
            row[c] = x[i * row.length + c];
        }
        return row;
    }

    private static double[] projected(double[] row, float[] weight, float[] bias, int first) {
        double[] y = new double[row.length];
        for (int o = 0; o < y.length; o++) {
            double sum = bias[first + o];
            for (int i = 0; i < row.length; i++) {
                sum += row[i] * weight[(first + o) * row.length + i];
            }
            y[o] = sum;
        }
        return y;
    }

    private double[] attended(double[] q, double[][] keys, double[][] values) {
        double[] joined = new double[shape.width()];
        int d = shape.headDim();
        for (int from = 0; from < shape.width(); from += d) {
            double[] weights = new double[keys.length];
            double sum = 0;
            for (int j = 0; j < keys.length; j++) {
                double score = 0;
                for (int c = from; c < from + d; c++) {
                    score += q[c] * keys[j][c];
                }
                weights[j] = Math.exp(score / Math.sqrt(d));
                sum += weights[j];
            }
            for (int j = 0; j < keys.length; j++) {
                for (int c = from; c < from + d; c++) {
                    joined[c] += weights[j] / sum * values[j][c];
                }
            }
        }
        return joined;
    }
}
