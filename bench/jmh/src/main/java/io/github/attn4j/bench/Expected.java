// SPDX-License-Identifier: Apache-2.0
// Attention as it is defined, in doubles, for some rows spread over all heads and queries: what every contender's
// output is compared with before it is timed.
package io.github.attn4j.bench;

/** Compares outputs with the definition. */
public final class Expected {
    private static final int ROWS = 97;

    private Expected() {}

    /** {@return one row of out, for row {@code row} of [batch, heads, queries]} */
    public static double[] attentionRow(AttentionOperands in, int row) {
        AttentionShape s = in.shape();
        int d = s.headDim();
        int first = in.firstKey(row);
        double[] scores = new double[s.visible(row % s.queries())];
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < scores.length; j++) {
            double score = 0;
            for (int i = 0; i < d; i++) {
                score += (double) in.q()[row * d + i] * in.k()[(first + j) * d + i];
            }
            scores[j] = score / Math.sqrt(d);
            largest = Math.max(largest, scores[j]);
        }
        double sum = 0;
        double[] out = new double[d];
        for (int j = 0; j < scores.length; j++) {
            double weight = Math.exp(scores[j] - largest);
            sum += weight;
            for (int i = 0; i < d; i++) {
                out[i] += weight * in.v()[(first + j) * d + i];
            }
        }
        for (int i = 0; i < d && sum > 0; i++) {
            out[i] /= sum;
        }
        return out;
    }

    /**
     * The largest difference over some rows.
     *
     * @param in the inputs
     * @param out [batch, heads, queries, headDim]
     * @return an absolute difference, NaN where there is one
     */
    public static double attentionError(AttentionOperands in, float[] out) {
        AttentionShape s = in.shape();
        int rows = s.batch() * s.heads() * s.queries();
        if (out.length != rows * s.headDim()) {
            throw new IllegalArgumentException("the output must have batch * heads * queries * headDim numbers: output="
                    + out.length + " expected=" + rows * s.headDim());
        }
        double worst = 0;
        for (int row = 0; row < rows; row += Math.max(1, rows / ROWS)) {
            double[] expected = attentionRow(in, row);
            for (int i = 0; i < expected.length; i++) {
                worst = Math.max(worst, Math.abs(expected[i] - out[row * s.headDim() + i]));
            }
        }
        return worst;
    }

    /** {@return the largest difference between two outputs} */
    public static double difference(float[] expected, float[] actual) {
        if (expected.length != actual.length) {
            throw new IllegalArgumentException("outputs must have the same number of elements: expected="
                    + expected.length + " actual=" + actual.length);
        }
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs((double) expected[i] - actual[i]));
        }
        return worst;
    }

    /** {@return the absolute difference that rounding inputs and output to a type explains: f32, f16 or bf16} */
    public static double tolerance(String type) {
        return switch (type) {
            case "f32" -> 1e-4;
            case "f16" -> 1e-2;
            case "bf16" -> 5e-2;
            default -> throw new IllegalArgumentException("a type is f32, f16 or bf16: type=" + type);
        };
    }

    /** Refuses an output that is further away than the contender may be; NaN is. */
    public static void require(String contender, double error, double tolerance) {
        if (!(error <= tolerance)) {
            throw new IllegalStateException("the output of " + contender + " is not what the scenario computes: error="
                    + error + " tolerance=" + tolerance);
        }
    }
}
