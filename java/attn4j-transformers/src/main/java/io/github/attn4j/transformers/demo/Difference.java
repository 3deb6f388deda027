// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

/**
 * How far two sets of vectors are apart.
 *
 * @param largest the largest absolute difference of two numbers
 * @param leastCosine the smallest cosine of two vectors
 */
record Difference(double largest, double leastCosine) {
    static Difference between(float[][] first, float[][] second) {
        double largest = 0;
        double least = 1;
        for (int i = 0; i < first.length; i++) {
            double dot = 0;
            double squares = 0;
            double otherSquares = 0;
            for (int j = 0; j < first[i].length; j++) {
                double a = first[i][j];
                double b = second[i][j];
                dot += a * b;
                squares += a * a;
                otherSquares += b * b;
                largest = Math.max(largest, Math.abs(a - b));
            }
            least = Math.min(least, dot / Math.sqrt(squares * otherSquares));
        }
        return new Difference(largest, least);
    }
}
