// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import io.github.attn4j.bench.Numbers;

/**
 * Input and weights, as PyTorch's nn.MultiheadAttention has them: x [batch, rows, width], inWeight [3 width, width]
 * with queries, keys and values one after the other, inBias [3 width], outWeight [width, width], outBias [width].
 */
public record ModuleOperands(ModuleShape shape, float[] x, float[] inWeight, float[] inBias, float[] outWeight,
        float[] outBias, int threads) {
    private static final int CHECKED_ROWS = 7;

    /** {@return inputs that are the same at every call} */
    public static ModuleOperands of(ModuleShape s, int threads) {
        long width = s.width();
        double scale = 1 / Math.sqrt(width);
        return new ModuleOperands(s, Numbers.normal(s.batch() * s.rows() * width, 1, 5),
                Numbers.normal(3 * width * width, scale, 1), Numbers.normal(3 * width, 1, 2),
                Numbers.normal(width * width, scale, 3), Numbers.normal(width, 1, 4), threads);
    }

    /** {@return the largest difference from the definition in doubles, of rows spread over the whole batch} */
    public double error(float[] out) {
        if (out.length != x.length) {
            throw new IllegalArgumentException("the output must have batch * rows * width numbers: output="
                    + out.length + " expected=" + x.length);
        }
        double worst = 0;
        for (int n = 0; n < CHECKED_ROWS; n++) {
            int i = n * (shape.batch() * shape.rows() - 1) / (CHECKED_ROWS - 1);
            double[] expected = outputRow(i);
            for (int o = 0; o < expected.length; o++) {
                worst = Math.max(worst, Math.abs(expected[o] - out[i * expected.length + o]));
            }
        }
        return worst;
    }

    /**
     * Row {@code i} of [batch, rows]. Keys and values are not projected one by one: a query times the weight of the
     * keys gives the same scores with x itself, and the weight of the values is applied to the weighted mean of x.
     */
    private double[] outputRow(int i) {
        int width = shape.width();
        int first = i / shape.rows() * shape.rows();
        double[] q = new double[width];
        double[] row = row(i);
        for (int o = 0; o < width; o++) {
            q[o] = projected(row, inWeight, inBias, o);
        }
        double[] joined = new double[width];
        for (int from = 0; from < width; from += shape.headDim()) {
            double[] mean = mean(weights(q, from, first), first);
            for (int o = from; o < from + shape.headDim(); o++) {
                joined[o] = projected(mean, inWeight, inBias, 2 * width + o);
            }
        }
        double[] expected = new double[width];
        for (int o = 0; o < width; o++) {
            expected[o] = projected(joined, outWeight, outBias, o);
        }
        return expected;
    }

    /** Of the head that begins at {@code from}, over the rows of a sequence; the keys' bias is the same for all. */
    private double[] weights(double[] q, int from, int first) {
        int width = shape.width();
        double[] query = new double[width];
        for (int o = from; o < from + shape.headDim(); o++) {
            for (int c = 0; c < width; c++) {
                query[c] += q[o] * inWeight[(width + o) * width + c];
            }
        }
        double[] weights = new double[shape.rows()];
        double sum = 0;
        for (int j = 0; j < weights.length; j++) {
            double score = 0;
            for (int c = 0; c < width; c++) {
                score += query[c] * x[(first + j) * width + c];
            }
            weights[j] = Math.exp(score / Math.sqrt(shape.headDim()));
            sum += weights[j];
        }
        for (int j = 0; j < weights.length; j++) {
            weights[j] /= sum;
        }
        return weights;
    }

    private double[] mean(double[] weights, int first) {
        double[] mean = new double[shape.width()];
        for (int j = 0; j < weights.length; j++) {
            for (int c = 0; c < mean.length; c++) {
                mean[c] += weights[j] * x[(first + j) * mean.length + c];
            }
        }
        return mean;
    }

    private double[] row(int i) {
        double[] row = new double[shape.width()];
        for (int c = 0; c < row.length; c++) {
            row[c] = x[i * row.length + c];
        }
        return row;
    }

    private static double projected(double[] row, float[] weight, float[] bias, int o) {
        double sum = bias[o];
        for (int c = 0; c < row.length; c++) {
            sum += row[c] * weight[o * row.length + c];
        }
        return sum;
    }
}
