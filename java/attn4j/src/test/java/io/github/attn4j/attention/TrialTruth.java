// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;

/** What the definition makes of a problem's inputs, and how near to it a result must be. */
final class TrialTruth {
    private final TrialInputs in;
    private final Definition.Row[] rows;

    TrialTruth(TrialInputs in) {
        this.in = in;
        rows = rows(definition(in));
    }

    private static Definition definition(TrialInputs in) {
        Definition definition = new Definition();
        definition.scale = in.scale();
        definition.causal = in.p.is("causal");
        definition.windowLeft = in.p.get("left");
        definition.windowRight = in.p.get("right");
        definition.softcap = in.p.get("softcap");
        definition.dropout = in.p.dropout();
        definition.seed = in.seed();
        definition.slopes = in.slopes;
        definition.sinks = in.sinks;
        if (in.bias != null) {
            float[] added = in.bias.toFloatArray();
            definition.bias = (b, h, i, j) -> added[index(in.bias, b, h, i, j)];
        }
        if (in.mask != null) {
            boolean[] kept = in.mask.toBooleanArray();
            definition.mask = (b, h, i, j) -> kept[index(in.mask, b, h, i, j)];
        }
        return definition;
    }

    private static int index(Tensor tensor, int... of) {
        int index = 0;
        for (int d = 0; d < tensor.rank(); d++) {
            int i = of[d + 4 - tensor.rank()];
            index = index * (int) tensor.size(d) + (tensor.size(d) == 1 ? 0 : i);
        }
        return index;
    }

    private Definition.Row[] rows(Definition definition) {
        float[] qs = in.q.toFloatArray();
        float[] ks = in.k.meant;
        float[] vs = in.v.meant;
        int headDim = in.p.get("headDim");
        int valueDim = in.p.get("valueDim");
        int kvHeads = in.p.get("kvHeads");
        Definition.Row[] result = new Definition.Row[in.batch * in.heads * in.queries];
        for (int b = 0; b < in.batch; b++) {
            for (int h = 0; h < in.heads; h++) {
                int kv = h / in.p.get("group");
                Definition.Rows q = rows(qs, in.heads, in.cuQueries, headDim, b, h);
                Definition.Rows k = rows(ks, kvHeads, in.cuKeys, headDim, b, kv);
                Definition.Rows v = rows(vs, kvHeads, in.cuKeys, valueDim, b, kv);
                for (int i = 0; i < in.queries(b); i++) {
                    result[(b * in.heads + h) * in.queries + i] = definition.row(b, h, in.heads, i, q, k, v, in.keys(b),
                        in.keyLengths[b], in.offsets[b], headDim, valueDim);
                }
            }
        }
        return result;
    }

    private Definition.Rows rows(float[] values, int count, long[] cumulative, int dim, int b, int h) {
        return in.ragged ? new Definition.Rows(values, ((int) cumulative[b] * count + h) * dim, count * dim)
            : Definition.rows(values, count, (int) (cumulative[b + 1] - cumulative[b]), dim, b, h);
    }

    /** Null, or the first difference; lse and scores are null if they were not asked for. */
    String compare(float[] out, float[] lse, float[] scores) {
        String difference = compare(out, lse);
        return difference != null || scores == null ? difference : compareScores(scores);
    }

    private String compare(float[] out, float[] lse) {
        double tolerance = tolerance(largest());
        double float32 = Definition.tolerance(in.p.get("headDim"), largest(), in.p.dropout());
        int valueDim = in.p.get("valueDim");
        for (int b = 0; b < in.batch; b++) {
            for (int h = 0; h < in.heads; h++) {
                Definition.Rows actual = rows(out, in.heads, in.cuQueries, valueDim, b, h);
                for (int i = 0; i < in.queries(b); i++) {
                    Definition.Row row = row(b, h, i);
                    for (int d = 0; d < valueDim; d++) {
                        double allowed = Math.max(tolerance, float32 + halfUnit(row.out[d]));
                        if (!Definition.close(row.out[d], actual.at(i, d), allowed)) {
                            return differs("out", row.out[d], actual.at(i, d), allowed, b, h, i, d);
                        }
                    }
                    int at = in.ragged ? (int) (h * in.cuQueries[in.batch] + in.cuQueries[b]) + i
                        : (b * in.heads + h) * in.queries + i;
                    if (lse != null && !Definition.close(row.lse, lse[at], tolerance)) {
                        return differs("lse", row.lse, lse[at], tolerance, b, h, i);
                    }
                }
            }
        }
        return null;
    }

    private String compareScores(float[] scores) {
        int heads = in.p.averaged() ? 1 : in.heads;
        for (int b = 0; b < in.batch; b++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < in.queries; i++) {
                    for (int j = 0; j < in.keys; j++) {
                        boolean inside = i < in.queries(b) && j < in.keys(b);
                        double expected = inside ? score(b, h, i, j) : Samples.MARK;
                        double largest = inside ? largestOf(b, h, i) : 0;
                        double actual = scores[((b * heads + h) * in.queries + i) * in.keys + j];
                        double tolerance = tolerance(largest) + rounding(expected);
                        if (!Definition.close(expected, actual, tolerance)) {
                            return differs(in.p.stage().toString(), expected, actual, tolerance, b, h, i, j);
                        }
                    }
                }
            }
        }
        return null;
    }

    private Definition.Row row(int b, int h, int i) {
        return rows[(b * in.heads + h) * in.queries + i];
    }

    private double score(int b, int h, int i, int j) {
        double sum = 0;
        for (int head = h; head < (in.p.averaged() ? in.heads : h + 1); head++) {
            sum += row(b, head, i).stage(in.p.stage())[j];
        }
        return in.p.averaged() ? sum / in.heads : sum;
    }

    private double largestOf(int b, int h, int i) {
        double largest = largest();
        for (int head = h; head < (in.p.averaged() ? in.heads : h + 1); head++) {
            largest = Math.max(largest, row(b, head, i).largestScaled);
        }
        return largest;
    }

    private double tolerance(double largest) {
        double tolerance = Definition.tolerance(in.p.get("headDim"), largest, in.p.dropout());
        for (int operand = 0; operand < 4; operand++) {
            DType type = in.p.type(operand);
            tolerance = Math.max(tolerance, type == DType.BFLOAT16 ? 2e-2 : type == DType.FLOAT16 ? 3e-3 : 0);
        }
        return tolerance;
    }

    /** The tolerance is one of weights; a score itself, a few float32 operations long, is rounded at its own size. */
    private double rounding(double score) {
        return in.p.stage() == ScoreStage.WEIGHTS || Double.isInfinite(score) ? 0 : Math.abs(score) * 0x1p-21;
    }

    /**
     * What rounding to the type of out takes from a number at the most. Above 4, which dropout makes of unit normals,
     * that is more than the tolerance.
     */
    private double halfUnit(double number) {
        DType type = in.p.type(3);
        if (type == DType.FLOAT32 || Double.isNaN(number) || Double.isInfinite(number)) {
            return 0;
        }
        return Math.scalb(0.5, Math.max(Math.getExponent(number), -14) - (type == DType.BFLOAT16 ? 7 : 10));
    }

    private double largest() {
        double largest = 0;
        for (Definition.Row row : rows) {
            largest = row == null ? largest : Math.max(largest, row.largest);
        }
        return largest;
    }

    private static String differs(String what, double expected, double actual, double tolerance, int... index) {
        return what + Arrays.toString(index) + " expected=" + expected + " actual=" + actual + " tolerance="
            + tolerance;
    }
}
