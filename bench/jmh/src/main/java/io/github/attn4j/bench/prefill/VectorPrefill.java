// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.RowContender;
import io.github.attn4j.bench.Rows;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The plain loops with the JDK's Vector API (incubating) in the two that count. */
public final class VectorPrefill extends RowContender {
    private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    /** Keeps these inputs; headDim must be a multiple of the lanes. */
    public VectorPrefill(AttentionOperands in) {
        super(in);
        if (in.shape().headDim() % LANES.length() != 0) {
            throw new IllegalArgumentException("headDim must be a multiple of the lanes: headDim="
                    + in.shape().headDim() + " lanes=" + LANES.length());
        }
    }

    @Override
    protected void row(int row, float[] scores) {
        AttentionShape s = in.shape();
        int d = s.headDim();
        int first = in.firstKey(row);
        int seen = s.visible(row % s.queries());
        float scale = (float) (1 / Math.sqrt(d));
        for (int j = 0; j < seen; j++) {
            FloatVector sum = FloatVector.zero(LANES);
            for (int i = 0; i < d; i += LANES.length()) {
                sum = FloatVector.fromArray(LANES, in.q(), row * d + i)
                        .fma(FloatVector.fromArray(LANES, in.k(), (first + j) * d + i), sum);
            }
            scores[j] = sum.reduceLanes(VectorOperators.ADD) * scale;
        }
        float inverse = 1 / Rows.exponentials(scores, seen);
        for (int i = 0; i < d; i += LANES.length()) {
            FloatVector sum = FloatVector.zero(LANES);
            for (int j = 0; j < seen; j++) {
                sum = FloatVector.fromArray(LANES, in.v(), (first + j) * d + i)
                        .fma(FloatVector.broadcast(LANES, scores[j]), sum);
            }
            sum.mul(inverse).intoArray(out, row * d + i);
        }
    }

    @Override
    public String describe() {
        return "Vector API of Java " + Runtime.version() + ", " + LANES.length() + " lanes, threads=" + in.threads();
    }
}
