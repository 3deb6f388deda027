// SPDX-License-Identifier: Apache-2.0
// Weights to draw: shares at random, each row of which sums to 1.
package io.github.attn4j.transformers.maps;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

final class MapsTestWeights {
    private MapsTestWeights() {}

    static float[] random(int heads, int queries, int keys) {
        Random random = new Random(31L * heads + queries);
        float[] weights = new float[heads * queries * keys];
        for (int row = 0; row < heads * queries; row++) {
            double sum = 0;
            for (int key = 0; key < keys; key++) {
                weights[row * keys + key] = (float) Math.exp(2 * random.nextGaussian());
                sum += weights[row * keys + key];
            }
            for (int key = 0; key < keys; key++) {
                weights[row * keys + key] /= (float) sum;
            }
        }
        return weights;
    }

    static List<String> tokens(int count) {
        return IntStream.range(0, count).mapToObj(token -> "t" + token).toList();
    }
}
