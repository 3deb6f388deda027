// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.OpenBlas;
import io.github.attn4j.bench.Rows;
import java.time.Duration;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Attention as matrix multiplications: scores = q k^T and out = weights v by OpenBLAS through its JavaCPP preset, the
 * softmax between them with the JDK's Vector API, the scores of a head in memory.
 */
public final class OpenBlasPrefill implements Contender {
    private final AttentionOperands in;
    private final FloatPointer q;
    private final FloatPointer k;
    private final FloatPointer v;
    private final FloatPointer out;
    private final FloatPointer scores;
    private final float[] row;

    /** Copies these inputs to native memory. */
    public OpenBlasPrefill(AttentionOperands in) {
        this.in = in;
        OpenBlas.threads(in.threads());
        q = new FloatPointer(in.q());
        k = new FloatPointer(in.k());
        v = new FloatPointer(in.v());
        out = new FloatPointer((long) in.q().length);
        scores = new FloatPointer((long) in.shape().queries() * in.shape().keys());
        row = new float[in.shape().keys()];
    }

    @Override
    public void run() {
        AttentionShape s = in.shape();
        int d = s.headDim();
        float scale = (float) (1 / Math.sqrt(d));
        for (int head = 0; head < s.batch() * s.heads(); head++) {
            long queryAt = (long) head * s.queries() * d;
            long keyAt = (long) in.firstKey(head * s.queries()) * d;
            OpenBlas.multiply(true, s.queries(), s.keys(), d, scale, q.position(queryAt), k.position(keyAt), scores);
            for (int i = 0; i < s.queries(); i++) {
                softmax((long) i * s.keys(), s.visible(i));
            }
            OpenBlas.multiply(false, s.queries(), d, s.keys(), 1, scores, v.position(keyAt), out.position(queryAt));
        }
        out.position(0);
    }

    private void softmax(long start, int seen) {
        scores.position(start).get(row);
        float inverse = 1 / Rows.exponentials(row, seen);
        for (int j = 0; j < seen; j++) {
            row[j] *= inverse;
        }
        Arrays.fill(row, seen, row.length, 0);
        scores.put(row).position(0);
    }

    @Override
    public Duration warmUp() {
        return Contender.COMPILED;
    }

    @Override
    public float[] output() {
        float[] values = new float[in.q().length];
        out.get(values);
        return values;
    }

    @Override
    public String describe() {
        return OpenBlas.describe();
    }

    @Override
    public void close() {
        for (FloatPointer memory : new FloatPointer[] {q, k, v, out, scores}) {
            memory.close();
        }
    }
}
