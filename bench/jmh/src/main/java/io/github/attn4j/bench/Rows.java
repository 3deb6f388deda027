// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Softmax over a row with the JDK's Vector API (incubating), for contenders that store rows of scores. */
public final class Rows {
    private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    private Rows() {}

    /** Replaces {@code count} scores by exponentials, the largest by 1, and gives their sum. */
    public static float exponentials(float[] scores, int count) {
        int whole = LANES.loopBound(count);
        VectorMask<Float> rest = LANES.indexInRange(whole, count);
        FloatVector most = FloatVector.broadcast(LANES, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < whole; j += LANES.length()) {
            most = most.max(FloatVector.fromArray(LANES, scores, j));
        }
        if (whole < count) {
            most = most.lanewise(VectorOperators.MAX, FloatVector.fromArray(LANES, scores, whole, rest), rest);
        }
        float largest = most.reduceLanes(VectorOperators.MAX);
        FloatVector sum = FloatVector.zero(LANES);
        for (int j = 0; j < whole; j += LANES.length()) {
            FloatVector weights = FloatVector.fromArray(LANES, scores, j).sub(largest).lanewise(VectorOperators.EXP);
            weights.intoArray(scores, j);
            sum = sum.add(weights);
        }
        if (whole < count) {
            FloatVector weights =
                    FloatVector.fromArray(LANES, scores, whole, rest).sub(largest).lanewise(VectorOperators.EXP);
            weights.intoArray(scores, whole, rest);
            sum = sum.add(weights, rest);
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }
}
