// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.tensor.Tensor;
import java.util.Map;

/** The parts of attention modules in double precision, as plain as can be; a sequence is [rows][width]. */
final class Doubles {
    private Doubles() {}

    /** Whether a query sees a key. */
    interface Visible {
        boolean sees(int head, int query, int key);
    }

    /** One entry of [batch, rows, width], or a matrix. */
    static double[][] rows(Tensor tensor) {
        double[][] rows = new double[(int) tensor.size(0)][(int) tensor.size(1)];
        float[] values = tensor.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            rows[i / rows[0].length][i % rows[0].length] = values[i];
        }
        return rows;
    }

    /** x weight^T + bias, by the names of a state. */
    static double[][] linear(double[][] x, Map<String, Tensor> state, String name) {
        double[][] weight = rows(state.get(name + ".weight"));
        float[] bias = state.containsKey(name + ".bias") ? state.get(name + ".bias").toFloatArray() : null;
        double[][] out = new double[x.length][weight.length];
        for (int r = 0; r < x.length; r++) {
            for (int o = 0; o < weight.length; o++) {
                out[r][o] = bias == null ? 0 : bias[o];
                for (int i = 0; i < x[r].length; i++) {
                    out[r][o] += x[r][i] * weight[o][i];
                }
            }
        }
        return out;
    }

    /** Writes the weights of each head, too, [heads][queries][keys]. */
    static double[][] attend(double[][] q, double[][] k, double[][] v, int heads, int dim, Visible visible,
                             double[][][] weights) {
        int group = heads * dim / (k.length == 0 ? heads * dim : k[0].length);
        double[][] out = new double[q.length][heads * dim];
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < q.length; i++) {
                double sum = 0;
                for (int j = 0; j < k.length; j++) {
                    double score = 0;
                    for (int d = 0; d < dim; d++) {
                        score += q[i][h * dim + d] * k[j][h / group * dim + d] / Math.sqrt(dim);
                    }
                    weights[h][i][j] = visible.sees(h, i, j) ? Math.exp(score) : 0;
                    sum += weights[h][i][j];
                }
                for (int j = 0; j < k.length; j++) {
                    weights[h][i][j] /= sum == 0 ? 1 : sum;
                    for (int d = 0; d < dim; d++) {
                        out[i][h * dim + d] += weights[h][i][j] * v[j][h / group * dim + d];
                    }
                }
            }
        }
        return out;
    }

    /** RMS norm of each head. */
    static void norm(double[][] x, int dim, Tensor gamma, double epsilon) {
        for (double[] row : x) {
            for (int from = 0; from < row.length; from += dim) {
                double square = 0;
                for (int d = 0; d < dim; d++) {
                    square += row[from + d] * row[from + d] / dim;
                }
                for (int d = 0; d < dim; d++) {
                    row[from + d] *= gamma.at(d) / Math.sqrt(square + epsilon);
                }
            }
        }
    }

    /** Turns the halves of each head's first `turned` numbers, base 10000. */
    static void rotate(double[][] x, int dim, int turned, int start) {
        for (int r = 0; r < x.length; r++) {
            for (int from = 0; from < x[r].length; from += dim) {
                for (int d = 0; d < turned / 2; d++) {
                    double angle = (start + r) * Math.pow(10_000, -2.0 * d / turned);
                    double a = x[r][from + d];
                    double b = x[r][from + turned / 2 + d];
                    x[r][from + d] = a * Math.cos(angle) - b * Math.sin(angle);
                    x[r][from + turned / 2 + d] = b * Math.cos(angle) + a * Math.sin(angle);
                }
            }
        }
    }

    /** x * sigmoid(gate), a number of the gate for each run of columns. */
    static void gate(double[][] x, double[][] gate) {
        for (int r = 0; r < x.length; r++) {
            int group = x[r].length / gate[r].length;
            for (int c = 0; c < x[r].length; c++) {
                x[r][c] /= 1 + Math.exp(-gate[r][c / group]);
            }
        }
    }

    static void assertClose(double[][] expected, Tensor actual, double tolerance) {
        assertEquals(expected.length, actual.size(0));
        for (int r = 0; r < expected.length; r++) {
            for (int c = 0; c < expected[r].length; c++) {
                assertEquals(expected[r][c], actual.at(r, c), tolerance * Math.max(1, Math.abs(expected[r][c])));
            }
        }
    }
}
