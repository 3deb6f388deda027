// SPDX-License-Identifier: Apache-2.0
// The weights of one layer, checked and copied: [heads, queries, keys], row-major.
package io.github.attn4j.transformers.maps;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.transformers.TokenSpan;
import java.util.Objects;

final class MapLayer {
    final String name;
    final int heads;
    private final int queries;
    private final int keys;
    private final float[] weights;

    MapLayer(String name, Tensor tensor, int queries, int keys, long room) {
        this.name = Objects.requireNonNull(name, "name");
        this.queries = queries;
        this.keys = keys;
        Objects.requireNonNull(tensor, "weights");
        if (tensor.rank() != 3) {
            throw new IllegalArgumentException("weights must be [heads, queries, keys]: rank=" + tensor.rank()
                    + " shape=" + tensor.shape() + " layer=" + name);
        }
        checkSize(tensor, 1, "queries", queries);
        checkSize(tensor, 2, "keys", keys);
        if (tensor.size(0) < 1) {
            throw new IllegalArgumentException(
                    "a layer has at least 1 head: heads=" + tensor.size(0) + " layer=" + name);
        }
        if (tensor.elements() > room) {
            throw new IllegalArgumentException("maps hold at most " + AttentionMaps.MOST_WEIGHTS + " weights: left="
                    + room + " weights=" + tensor.elements() + " layer=" + name
                    + ", show fewer layers, heads or tokens");
        }
        heads = (int) tensor.size(0);
        weights = tensor.toFloatArray();
        for (int i = 0; i < weights.length; i++) {
            if (!(weights[i] >= 0 && weights[i] < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("weights are finite and at least 0: weight=" + weights[i]
                        + " at head=" + i / keys / queries + " query=" + i / keys % queries + " key=" + i % keys
                        + " layer=" + name);
            }
        }
    }

    private void checkSize(Tensor tensor, int dim, String what, int tokens) {
        if (tensor.size(dim) != tokens) {
            throw new IllegalArgumentException("weights must have a " + (dim == 1 ? "row" : "column")
                    + " for each token of the " + what + ": weights.size(" + dim + ")=" + tensor.size(dim) + " tokens="
                    + tokens + " layer=" + name);
        }
    }

    int elements() {
        return weights.length;
    }

    float at(int head, int query, int key) {
        return weights[(head * queries + query) * keys + key];
    }

    float largest() {
        float largest = 0;
        for (float weight : weights) {
            largest = Math.max(largest, weight);
        }
        return largest;
    }

    /** What these queries spend on these keys together, as a mean over the queries. */
    float link(int head, TokenSpan from, TokenSpan to) {
        double sum = 0;
        for (int query = from.from(); query < from.to(); query++) {
            for (int key = to.from(); key < to.to(); key++) {
                sum += at(head, query, key);
            }
        }
        return (float) (sum / from.length());
    }

    /** The weights as unsigned 16-bit numbers, little-endian, {@code top} being the largest. */
    byte[] quantized(float top) {
        byte[] bytes = new byte[Math.multiplyExact(weights.length, Short.BYTES)];
        for (int i = 0; i < weights.length; i++) {
            int step = Math.round(weights[i] / top * 65535);
            bytes[2 * i] = (byte) step;
            bytes[2 * i + 1] = (byte) (step >> 8);
        }
        return bytes;
    }
}
