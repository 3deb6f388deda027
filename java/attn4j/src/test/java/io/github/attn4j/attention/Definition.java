// SPDX-License-Identifier: Apache-2.0
// The definition of the operator in code: double precision, one loop a formula, the scores of a row written out.
package io.github.attn4j.attention;

/** Options of attention, and what it computes of one query. */
final class Definition {
    double scale;
    boolean causal;
    long windowLeft = -1;
    long windowRight = -1;
    double softcap;
    double dropout;
    long seed;
    /** Of each head, or null. */
    float[] slopes;
    /** Of each head, or null. */
    float[] sinks;
    /** Null for none. */
    Term bias;
    /** Null for none. */
    Keep mask;

    /** A number for each score. */
    interface Term {
        double at(int b, int h, int i, int j);
    }

    /** Whether a key may be seen. */
    interface Keep {
        boolean at(int b, int h, int i, int j);
    }

    /** Rows of numbers somewhere in an array. */
    record Rows(float[] values, int first, int stride) {
        double at(int row, int column) {
            return values[first + row * stride + column];
        }
    }

    /** What becomes of one query. */
    static final class Row {
        final double[] out;
        double lse;
        /** By stage. */
        final double[][] scores;
        /** The largest finite |score| of a visible key, and of any key as first computed. */
        double largest;
        double largestScaled;

        Row(int keys, int valueDim) {
            out = new double[valueDim];
            scores = new double[ScoreStage.values().length][keys];
        }

        double[] stage(ScoreStage stage) {
            return scores[stage.ordinal()];
        }
    }

    /** Query i of batch entry b and head h; its rows are row i of q and all rows of k and v. */
    Row row(int b, int h, int heads, int i, Rows q, Rows k, Rows v, int keys, long keyLength, long offset,
            int headDim, int valueDim) {
        Row row = new Row(keys, valueDim);
        double[] hidden = row.stage(ScoreStage.HIDDEN);
        double sink = sinks == null ? Double.NEGATIVE_INFINITY : sinks[h];
        double max = sink;
        for (int j = 0; j < keys; j++) {
            double score = 0;
            for (int d = 0; d < headDim; d++) {
                score += q.at(i, d) * k.at(j, d);
            }
            score *= scale;
            row.stage(ScoreStage.SCALED)[j] = score;
            row.largestScaled = largest(row.largestScaled, score);
            score = softcap > 0 ? softcap * Math.tanh(score / softcap) : score;
            row.stage(ScoreStage.CAPPED)[j] = score;
            score -= slopes == null ? 0 : slopes[h] * Math.abs((double) (position(offset) + i - j));
            score += bias == null ? 0 : bias.at(b, h, i, j);
            hidden[j] = isVisible(b, h, i, j, keyLength, offset) ? score : Double.NEGATIVE_INFINITY;
            row.largest = largest(row.largest, hidden[j]);
            max = Math.max(max, hidden[j]);
        }
        weigh(row, b, h, heads, i, max, sink);
        double[] weights = row.stage(ScoreStage.WEIGHTS);
        for (int j = 0; j < keys; j++) {
            for (int d = 0; d < valueDim && weights[j] != 0; d++) {
                row.out[d] += weights[j] * v.at(j, d);
            }
        }
        return row;
    }

    boolean isVisible(int b, int h, int i, int j, long keyLength, long offset) {
        long position = position(offset) + i;
        return j < keyLength && (!causal || j <= position) && (windowLeft < 0 || j >= position - position(windowLeft))
            && (windowRight < 0 || j <= position + position(windowRight)) && (mask == null || mask.at(b, h, i, j));
    }

    private void weigh(Row row, int b, int h, int heads, int i, double max, double sink) {
        double[] hidden = row.stage(ScoreStage.HIDDEN);
        double base = max == Double.NEGATIVE_INFINITY ? 0 : max;
        double sum = Math.exp(sink - base);
        for (double score : hidden) {
            sum += Math.exp(score - base);
        }
        row.lse = sum == 0 ? Double.NEGATIVE_INFINITY : base + Math.log(sum);
        double[] weights = row.stage(ScoreStage.WEIGHTS);
        for (int j = 0; j < weights.length && sum != 0; j++) {
            double keep = dropout == 0 ? 1 : isKept(b * heads + h, i, j) ? 1 / (1 - dropout) : 0;
            weights[j] = Math.exp(hidden[j] - base) / sum * keep;
        }
    }

    /** Far enough out to make no difference, and near enough for sums not to overflow. */
    private static long position(long offset) {
        return Math.max(-(1L << 40), Math.min(1L << 40, offset));
    }

    private static double largest(double before, double score) {
        return Double.isFinite(score) ? Math.max(before, Math.abs(score)) : before;
    }

    /** Philox4x32-10: counter (j / 4, i, row, 0), key seed, word j % 4 of the result. */
    boolean isKept(int row, int i, int j) {
        int c0 = j / 4;
        int c1 = i;
        int c2 = row;
        int c3 = 0;
        int low = (int) seed;
        int high = (int) (seed >>> 32);
        for (int round = 0; round < 10; round++) {
            long a = 0xD2511F53L * Integer.toUnsignedLong(c0);
            long b = 0xCD9E8D57L * Integer.toUnsignedLong(c2);
            c0 = (int) (b >>> 32) ^ c1 ^ low;
            c1 = (int) b;
            c2 = (int) (a >>> 32) ^ c3 ^ high;
            c3 = (int) a;
            low += 0x9E3779B9;
            high += 0xBB67AE85;
        }
        long threshold = (long) Math.min(dropout * 4294967296.0, 4294967295.0);
        int word = j % 4;
        return Integer.toUnsignedLong(word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3) >= threshold;
    }

    /** The bound of float32 on unit-normal inputs. */
    static double tolerance(long headDim, double largestScore, double dropout) {
        return 2e-6 * Math.sqrt(headDim) * Math.max(1, largestScore / 32) / (1 - dropout);
    }

    /** The numbers of all heads' rows, of a tensor [batch, heads, rows, dim]. */
    static Rows rows(float[] values, int heads, int rows, int dim, int b, int h) {
        return new Rows(values, (b * heads + h) * rows * dim, dim);
    }

    /** Both NaN, both the same infinity, or near. */
    static boolean close(double expected, double actual, double tolerance) {
        return Double.compare(expected, actual) == 0 || Math.abs(expected - actual) <= tolerance;
    }
}
