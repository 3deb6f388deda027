// SPDX-License-Identifier: Apache-2.0
// Cosines between unit vectors, and the pairs of texts with the greatest.
package io.github.attn4j.transformers.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

final class Similarity {
    /** Two texts by their index, and their cosine. */
    record Pair(int first, int second, float cosine) {}

    private Similarity() {}

    static float[][] matrix(float[][] vectors, int count) {
        float[][] matrix = new float[count][count];
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                matrix[i][j] = cosine(vectors[i], vectors[j]);
            }
        }
        return matrix;
    }

    /** The pairs of highest cosine among the first {@code count} texts, best first; a repeated text is no pair. */
    static List<Pair> best(List<String> texts, float[][] vectors, int count, int pairs) {
        Comparator<Pair> byCosine = Comparator.comparingDouble(Pair::cosine);
        PriorityQueue<Pair> best = new PriorityQueue<>(byCosine);
        for (int i = 0; i < count; i++) {
            for (int j = i + 1; j < count; j++) {
                float cosine = cosine(vectors[i], vectors[j]);
                boolean full = best.size() == pairs;
                if (full && cosine <= best.element().cosine() || texts.get(i).equals(texts.get(j))) {
                    continue;
                }
                if (full) {
                    best.remove();
                }
                best.add(new Pair(i, j, cosine));
            }
        }
        List<Pair> sorted = new ArrayList<>(best);
        sorted.sort(byCosine.reversed());
        return sorted;
    }

    private static float cosine(float[] a, float[] b) {
        float sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
