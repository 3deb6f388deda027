// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.bench.AttentionInputs;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.RowContender;
import io.github.attn4j.bench.Rows;
import java.util.Arrays;

/** Plain Java: loops over arrays, a row of scores at a time, as one writes it without a library. */
public final class JavaPrefill extends RowContender {
    /** Keeps these inputs. */
    public JavaPrefill(AttentionInputs in) {
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
        float inverse = 1 / Rows.exponentials(scores, seen);
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

    @Override
    public String describe() {
        return "plain Java " + Runtime.version() + ", threads=" + in.threads();
    }
}
