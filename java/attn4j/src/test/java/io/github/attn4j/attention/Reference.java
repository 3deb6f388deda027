// SPDX-License-Identifier: Apache-2.0
// The definition of the operator in code: double precision, one loop a formula, the score matrix written out.
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/** Attention in double precision. */
final class Reference {
    /** [batch, heads, queries, valueDim] */
    final double[][][][] out;
    /** [batch, heads, queries] */
    final double[][][] lse;
    /** The largest |score| of a visible key. */
    double largestScore;

    private Reference(int batch, int heads, int queries, int valueDim) {
        out = new double[batch][heads][queries][valueDim];
        lse = new double[batch][heads][queries];
    }

    /** Causal if offsets are given, one a batch entry; keyLengths null for all. */
    static Reference of(Tensor q, Tensor k, Tensor v, double scale, long[] offsets, long[] keyLengths) {
        int batch = (int) q.size(0);
        int heads = (int) q.size(1);
        int queries = (int) q.size(2);
        int group = heads / (int) k.size(1);
        Reference result = new Reference(batch, heads, queries, (int) v.size(3));
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < heads; h++) {
                Rows qs = new Rows(q, b, h);
                Rows ks = new Rows(k, b, h / group);
                Rows vs = new Rows(v, b, h / group);
                long keys = keyLengths == null ? k.size(2) : keyLengths[b];
                for (int i = 0; i < queries; i++) {
                    long visible = offsets == null ? keys : Math.max(0, Math.min(keys, i + offsets[b] + 1));
                    result.row(b, h, i, qs, ks, vs, (int) visible, scale);
                }
            }
        }
        return result;
    }

    private void row(int b, int h, int i, Rows q, Rows k, Rows v, int visible, double scale) {
        double[] scores = new double[visible];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < visible; j++) {
            for (int d = 0; d < q.width; d++) {
                scores[j] += q.at(i, d) * k.at(j, d);
            }
            scores[j] *= scale;
            max = Math.max(max, scores[j]);
            largestScore = Math.max(largestScore, Math.abs(scores[j]));
        }
        double sum = 0;
        for (double score : scores) {
            sum += Math.exp(score - max);
        }
        lse[b][h][i] = visible == 0 ? Double.NEGATIVE_INFINITY : max + Math.log(sum);
        for (int j = 0; j < visible; j++) {
            for (int d = 0; d < v.width; d++) {
                out[b][h][i][d] += Math.exp(scores[j] - max) / sum * v.at(j, d);
            }
        }
    }

    /** The bound of semantics.md for float32, on unit-normal inputs. */
    double tolerance(long headDim) {
        return 2e-6 * Math.sqrt(headDim) * Math.max(1, largestScore / 32);
    }

    /** The largest difference of a result [batch, heads, queries, valueDim]; NaN counts as infinite. */
    double maxError(Tensor actual) {
        double worst = 0;
        for (int b = 0; b < out.length; b++) {
            for (int h = 0; h < out[b].length; h++) {
                Rows rows = new Rows(actual, b, h);
                for (int i = 0; i < out[b][h].length; i++) {
                    for (int d = 0; d < rows.width; d++) {
                        double error = Math.abs(rows.at(i, d) - out[b][h][i][d]);
                        worst = Math.max(worst, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
                    }
                }
            }
        }
        return worst;
    }

    /** The rows of one batch entry and head as an array. */
    private static final class Rows {
        final float[] values;
        final int width;

        Rows(Tensor tensor, int b, int h) {
            Tensor rows = tensor.select(0, b).select(0, h);
            values = rows.toFloatArray();
            width = (int) rows.size(1);
        }

        double at(int row, int column) {
            return values[row * width + column];
        }
    }
}
