// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** Softmax over a row, for contenders that store rows of scores. */
public final class Rows {
    private Rows() {}

    /** Replaces {@code count} scores by exponentials, the largest by 1, and gives their sum. */
    public static float exponentials(float[] scores, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < count; j++) {
            largest = Math.max(largest, scores[j]);
        }
        float sum = 0;
        for (int j = 0; j < count; j++) {
            scores[j] = (float) Math.exp(scores[j] - largest);
            sum += scores[j];
        }
        return sum;
    }
}
