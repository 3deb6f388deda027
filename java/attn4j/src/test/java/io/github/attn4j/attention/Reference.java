// SPDX-License-Identifier: Apache-2.0
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
        Definition definition = new Definition();
        definition.scale = scale;
        definition.causal = offsets != null;
        return of(definition, q, k, v, offsets, keyLengths);
    }

    /** Any options; offsets null for 0, keyLengths null for all. */
    static Reference of(Definition definition, Tensor q, Tensor k, Tensor v, long[] offsets, long[] keyLengths) {
        int heads = (int) q.size(1);
        int queries = (int) q.size(2);
        int headDim = (int) q.size(3);
        int kvHeads = (int) k.size(1);
        int keys = (int) k.size(2);
        int valueDim = (int) v.size(3);
        float[] qs = q.toFloatArray();
        float[] ks = k.toFloatArray();
        float[] vs = v.toFloatArray();
        Reference result = new Reference((int) q.size(0), heads, queries, valueDim);
        for (int b = 0; b < q.size(0); b++) {
            for (int h = 0; h < heads; h++) {
                int kv = h / (heads / kvHeads);
                for (int i = 0; i < queries; i++) {
                    Definition.Row row = definition.row(b, h, heads, i,
                        Definition.rows(qs, heads, queries, headDim, b, h),
                        Definition.rows(ks, kvHeads, keys, headDim, b, kv),
                        Definition.rows(vs, kvHeads, keys, valueDim, b, kv), keys,
                        keyLengths == null ? keys : keyLengths[b], offsets == null ? 0 : offsets[b], headDim, valueDim);
                    result.out[b][h][i] = row.out;
                    result.lse[b][h][i] = row.lse;
                    result.largestScore = Math.max(result.largestScore, row.largest);
                }
            }
        }
        return result;
    }

    /** The bound for float32, on unit-normal inputs. */
    double tolerance(long headDim) {
        return Definition.tolerance(headDim, largestScore, 0);
    }

    /** The largest difference of a result [batch, heads, queries, valueDim]; NaN counts as infinite. */
    double maxError(Tensor actual) {
        float[] values = actual.toFloatArray();
        int at = 0;
        double worst = 0;
        for (double[][][] heads : out) {
            for (double[][] rows : heads) {
                for (double[] row : rows) {
                    for (double expected : row) {
                        double error = Math.abs(values[at++] - expected);
                        worst = Math.max(worst, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
                    }
                }
            }
        }
        return worst;
    }
}
