// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.RowContender;
import java.util.Arrays;

/** Plain Java: loops over arrays, a row of scores at a time, as one writes it without a library. */
public final class JavaPrefill extends RowContender {
    /** Keeps these inputs. */
    public JavaPrefill(AttentionOperands in) {
        super(in);
    }

    @Override
    protected void row(int row, float[] scores) {
        AttentionShape s = in.shape();
        int d = s.headDim();
        int first = in.firstKey(row);
        int seen = s.visible(row % s.queries());
        float scale = (float) (1 / Math.sqrt(d));
        for (int j = 0; j < seen; j++) {
            float score = 0;
            for (int i = 0; i < d; i++) {
                score += in.q()[row * d + i] * in.k()[(first + j) * d + i];
            }
            scores[j] = score * scale;
        }
        float inverse = 1 / exponentials(scores, seen);
        int to = row * d;
        Arrays.fill(out, to, to + d, 0);
        for (int j = 0; j < seen; j++) {
            float weight = scores[j] * inverse;
            int from = (first + j) * d;
            for (int i = 0; i < d; i++) {
                out[to + i] += weight * in.v()[from + i];
            }
        }
    }

    /** Replaces scores by exponentials, the largest by 1, and gives their sum. */
    private static float exponentials(float[] scores, int count) {
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

    @Override
    public String describe() {
        return "plain Java " + Runtime.version() + ", threads=" + in.threads();
    }
}
