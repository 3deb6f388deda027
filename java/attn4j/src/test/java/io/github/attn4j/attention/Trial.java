// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;
import java.util.Random;

/** The tensors of a problem and what they should give; runs it on an instruction set and compares. */
final class Trial implements AutoCloseable {
    private static final float UNWRITTEN = 77;
    /** Drawn once, as drawing takes longer than attention does. */
    private static final float[] NORMAL = Samples.normal(1, 1 << 16);

    private final TensorScope scope = TensorScope.open();
    private final Problem p;
    private final Random random;
    private final int batch;
    private final int heads;
    private final int queries;
    private final int keys;
    private final boolean ragged;
    /** Rows of each sequence before its own, and one past the last; one sequence's sizes if not ragged. */
    private final long[] cuQueries;
    private final long[] cuKeys;
    private final long[] keyLengths;
    private final long[] offsets;
    private final Tensor q;
    private final StoredRows k;
    private final StoredRows v;
    /** Pages of each sequence, null for none. */
    private final long[] table;
    private final Tensor bias;
    private final Tensor mask;
    private final Definition definition = new Definition();
    private final Definition.Row[] rows;
    private final float[] unwritten;

    Trial(Problem p) {
        this.p = p;
        random = new Random(p.get("seed"));
        batch = p.get("batch");
        heads = p.heads();
        queries = p.get("queries");
        keys = p.keys();
        ragged = p.is("ragged");
        cuQueries = cumulative(queries);
        cuKeys = cumulative(keys);
        keyLengths = new long[batch];
        offsets = new long[batch];
        for (int b = 0; b < batch; b++) {
            keyLengths[b] = p.is("keyLengths") ? random.nextInt(keys + 1) : keys(b);
            offsets[b] = offset(b);
        }
        q = normal(0, heads, p.get("headDim"));
        k = stored(1, p.get("headDim"));
        v = stored(2, p.get("valueDim"));
        table = p.is("pageRows") ? StoredRows.table(random, batch * (keys / p.get("pageRows"))) : null;
        bias = p.is("biasRank") ? broadcast("bias", DType.FLOAT32) : null;
        mask = p.is("maskRank") ? broadcast("mask", DType.BOOL) : null;
        unwritten = new float[(int) (heads * p.get("valueDim") * (ragged ? cuQueries[batch] : (long) batch * queries))];
        Arrays.fill(unwritten, UNWRITTEN);
        define();
        rows = expected();
    }

    private long[] cumulative(int most) {
        long[] cumulative = new long[batch + 1];
        for (int b = 0; b < batch; b++) {
            cumulative[b + 1] = cumulative[b] + (ragged ? random.nextInt(most + 1) : most);
        }
        return cumulative;
    }

    private int queries(int b) {
        return (int) (cuQueries[b + 1] - cuQueries[b]);
    }

    private int keys(int b) {
        return (int) (cuKeys[b + 1] - cuKeys[b]);
    }

    private long offset(int b) {
        if (p.get("offsets") == 2 && !p.is("slopes")) {
            return new long[] {Long.MIN_VALUE, -queries - 1, keys + 1, Long.MAX_VALUE}[random.nextInt(4)];
        }
        long nearby = random.nextInt(queries + keys + 4) - queries - 2;
        return p.is("offsets") ? nearby : p.is("topLeft") ? 0 : keyLengths[b] - queries(b);
    }

    private void define() {
        double natural = 1 / Math.sqrt(p.get("headDim"));
        definition.scale = (float) (natural * new double[] {1, 0.3, -0.7}[p.get("scale")]);
        definition.causal = p.is("causal");
        definition.windowLeft = p.get("left");
        definition.windowRight = p.get("right");
        definition.softcap = p.get("softcap");
        definition.dropout = p.dropout();
        definition.seed = p.get("seed") * 0x123456789L;
        definition.slopes = p.is("slopes") ? slopes() : null;
        definition.sinks = p.is("sinks") ? normal(heads) : null;
        if (bias != null) {
            float[] added = bias.toFloatArray();
            definition.bias = (b, h, i, j) -> added[index(bias, b, h, i, j)];
        }
        if (mask != null) {
            boolean[] kept = mask.toBooleanArray();
            definition.mask = (b, h, i, j) -> kept[index(mask, b, h, i, j)];
        }
    }

    /** Unit-normal numbers, from anywhere in the table and with any odd step. */
    private float[] normal(int count) {
        float[] values = new float[count];
        int step = random.nextInt() | 1;
        int at = random.nextInt();
        for (int i = 0; i < count; i++, at += step) {
            values[i] = NORMAL[at & NORMAL.length - 1];
        }
        return values;
    }

    /**
     * The usual ones. The tolerance of small headDims leaves room for the rounding of scores up to 16 only: there they
     * are flatter.
     */
    private float[] slopes() {
        double steepest = p.get("headDim") >= 16 ? 1 : Math.min(1, 8.0 / (queries + keys + 2));
        float[] slopes = new float[heads];
        for (int h = 0; h < heads; h++) {
            slopes[h] = (float) (steepest * Math.pow(2, -8.0 * (h + 1) / heads));
        }
        return slopes;
    }

    private static int index(Tensor tensor, int... of) {
        int index = 0;
        for (int d = 0; d < tensor.rank(); d++) {
            int i = of[d + 4 - tensor.rank()];
            index = index * (int) tensor.size(d) + (tensor.size(d) == 1 ? 0 : i);
        }
        return index;
    }

    /** In one of four layouts: packed, rows before heads, rows with gaps, or batch last but for the row. */
    private Tensor operand(TensorScope scope, int number, int count, int dim) {
        DType type = p.type(number);
        int layout = p.layout(number);
        boolean ofQueries = number == 0 || number == 3;
        int rowCount = ragged ? (int) (ofQueries ? cuQueries : cuKeys)[batch] : ofQueries ? queries : keys;
        if (ragged) {
            return layout == 0 ? scope.zeros(type, rowCount, count, dim)
                : layout == 1 ? scope.zeros(type, count, rowCount, dim).transpose(0, 1)
                : scope.zeros(type, rowCount, count + 1, dim + layout).slice(1, 0, count).slice(2, 0, dim);
        }
        switch (layout) {
            case 0:
                return scope.zeros(type, batch, count, rowCount, dim);
            case 1:
                return scope.zeros(type, batch, rowCount, count, dim).transpose(1, 2);
            case 2:
                return scope.zeros(type, batch, count, rowCount + 1, dim + 3).slice(2, 1, rowCount + 1)
                    .slice(3, 1, dim + 1);
            default:
                return scope.zeros(type, rowCount, count, batch, dim).transpose(0, 2);
        }
    }

    private Tensor normal(int number, int count, int dim) {
        Tensor tensor = operand(scope, number, count, dim);
        return tensor.copyFrom(normal((int) tensor.elements()));
    }

    private StoredRows stored(int number, int dim) {
        Tensor rows = operand(scope, number, p.get("kvHeads"), dim);
        return StoredRows.in(scope, rows, normal((int) rows.elements()));
    }

    /** Of the rank of the problem, its dimensions full where a bit says so; a fifth bit puts gaps between the rows. */
    private Tensor broadcast(String name, DType type) {
        int rank = p.get(name + "Rank");
        int bits = p.get(name + "Dims");
        long[] full = {batch, heads, queries, keys};
        long[] sizes = new long[rank];
        for (int d = 0; d < rank; d++) {
            int dim = d + 4 - rank;
            sizes[d] = (bits >> dim & 1) != 0 ? full[dim] : 1;
        }
        long width = sizes[rank - 1];
        sizes[rank - 1] += (bits >> 4) * 5;
        Tensor tensor = scope.zeros(type, sizes).slice(-1, 0, width);
        int count = (int) tensor.elements();
        if (type == DType.BOOL) {
            boolean[] kept = new boolean[count];
            for (int i = 0; i < count; i++) {
                kept[i] = random.nextInt(4) != 0;
            }
            return tensor.copyFrom(kept);
        }
        float[] added = normal(count);
        for (int i = 0; i < count; i++) {
            added[i] = random.nextInt(10) == 0 ? Float.NEGATIVE_INFINITY : added[i];
        }
        return tensor.copyFrom(added);
    }

    private Definition.Row[] expected() {
        float[] qs = q.toFloatArray();
        float[] ks = k.meant;
        float[] vs = v.meant;
        int headDim = p.get("headDim");
        int valueDim = p.get("valueDim");
        int kvHeads = p.get("kvHeads");
        Definition.Row[] result = new Definition.Row[batch * heads * queries];
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < heads; h++) {
                int kv = h / p.get("group");
                for (int i = 0; i < queries(b); i++) {
                    result[(b * heads + h) * queries + i] = definition.row(b, h, heads, i,
                        rows(qs, heads, cuQueries, headDim, b, h), rows(ks, kvHeads, cuKeys, headDim, b, kv),
                        rows(vs, kvHeads, cuKeys, valueDim, b, kv), keys(b), keyLengths[b], offsets[b], headDim,
                        valueDim);
                }
            }
        }
        return result;
    }

    private Definition.Rows rows(float[] values, int count, long[] cumulative, int dim, int b, int h) {
        return ragged ? new Definition.Rows(values, ((int) cumulative[b] * count + h) * dim, count * dim)
            : Definition.rows(values, count, (int) (cumulative[b + 1] - cumulative[b]), dim, b, h);
    }

    /** Null, or the first difference. Any number of threads may. */
    String run(Isa isa) {
        try (TensorScope own = TensorScope.open()) {
            return run(own, isa);
        }
    }

    private String run(TensorScope scope, Isa isa) {
        Tensor out = operand(scope, 3, heads, p.get("valueDim")).copyFrom(unwritten);
        int total = (int) cuQueries[batch];
        Tensor lse = !p.is("lse") ? null : ragged ? Samples.marked(scope, heads, total)
            : Samples.marked(scope, batch, heads, queries);
        Tensor scores = p.stage() == null ? null : p.averaged() ? Samples.marked(scope, batch, queries, keys)
            : Samples.marked(scope, batch, heads, queries, keys);
        StoredRows keyRows = table == null ? k : k.paged(scope, table, p.get("pageRows"));
        StoredRows valueRows = table == null ? v : v.paged(scope, table, p.get("pageRows"));
        AttentionInputs inputs = AttentionInputs.of(q, keyRows.rows, valueRows.rows, out).lse(lse).scores(scores)
            .bias(bias).mask(mask).seed(definition.seed).scales(keyRows.scales, valueRows.scales);
        inputs.pages(table == null ? null : scope.of(table, batch, keys / p.get("pageRows")));
        inputs.keyLengths(p.is("keyLengths") ? scope.of(keyLengths, batch) : null);
        inputs.offsets(p.is("offsets") ? scope.of(offsets, batch) : null);
        inputs.slopes(definition.slopes == null ? null : scope.of(definition.slopes, heads));
        inputs.sinks(definition.sinks == null ? null : scope.of(definition.sinks, heads));
        if (ragged) {
            inputs.cumulative(scope.of(cuQueries, batch + 1), scope.of(cuKeys, batch + 1));
        }
        try (AttentionPlan plan = attention(isa).plan(inputs)) {
            if (!plan.isa().equals(isa.label())) {
                return "isa expected=" + isa.label() + " actual=" + plan.isa();
            }
            plan.run(inputs);
        }
        String difference = compare(out.toFloatArray(), lse == null ? null : lse.toFloatArray());
        return difference != null || scores == null ? difference : compareScores(scores.toFloatArray());
    }

    private Attention attention(Isa isa) {
        Attention.Builder builder = Attention.builder().isa(isa).threads(p.get("threads"))
            .scale((float) definition.scale).window(p.get("left"), p.get("right")).softcap(p.get("softcap"))
            .dropout(p.dropout());
        if (p.is("causal")) {
            builder.causal();
        }
        if (p.is("topLeft")) {
            builder.alignment(Alignment.TOP_LEFT);
        }
        if (ragged) {
            builder.ragged();
        }
        if (p.stage() != null) {
            builder.scores(p.stage());
        }
        return (p.averaged() ? builder.averagedWeights() : builder).build();
    }

    private double tolerance(double largest) {
        double tolerance = Definition.tolerance(p.get("headDim"), largest, p.dropout());
        for (int operand = 0; operand < 4; operand++) {
            DType type = p.type(operand);
            tolerance = Math.max(tolerance, type == DType.BFLOAT16 ? 2e-2 : type == DType.FLOAT16 ? 3e-3 : 0);
        }
        return tolerance;
    }

    /** The tolerance is one of weights; a score itself, a few float32 operations long, is rounded at its own size. */
    private double rounding(double score) {
        return p.stage() == ScoreStage.WEIGHTS || Double.isInfinite(score) ? 0 : Math.abs(score) * 0x1p-21;
    }

    /**
     * What rounding to the type of out takes from a number at the most. Above 4, which dropout makes of unit normals, that
     * is more than the tolerance.
     */
    private double halfUnit(double number) {
        DType type = p.type(3);
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

    private String compare(float[] out, float[] lse) {
        double tolerance = tolerance(largest());
        double float32 = Definition.tolerance(p.get("headDim"), largest(), p.dropout());
        int valueDim = p.get("valueDim");
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < heads; h++) {
                Definition.Rows actual = rows(out, heads, cuQueries, valueDim, b, h);
                for (int i = 0; i < queries(b); i++) {
                    Definition.Row row = rows[(b * heads + h) * queries + i];
                    for (int d = 0; d < valueDim; d++) {
                        double allowed = Math.max(tolerance, float32 + halfUnit(row.out[d]));
                        if (!Definition.close(row.out[d], actual.at(i, d), allowed)) {
                            return differs("out", row.out[d], actual.at(i, d), allowed, b, h, i, d);
                        }
                    }
                    int at = ragged ? (int) (h * cuQueries[batch] + cuQueries[b]) + i : (b * heads + h) * queries + i;
                    if (lse != null && !Definition.close(row.lse, lse[at], tolerance)) {
                        return differs("lse", row.lse, lse[at], tolerance, b, h, i);
                    }
                }
            }
        }
        return null;
    }

    private String compareScores(float[] scores) {
        int heads = p.averaged() ? 1 : this.heads;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < queries; i++) {
                    for (int j = 0; j < keys; j++) {
                        boolean inside = i < queries(b) && j < keys(b);
                        double expected = inside ? score(b, h, i, j) : UNWRITTEN;
                        double largest = inside ? largestOf(b, h, i) : 0;
                        double actual = scores[((b * heads + h) * queries + i) * keys + j];
                        double tolerance = tolerance(largest) + rounding(expected);
                        if (!Definition.close(expected, actual, tolerance)) {
                            return differs(p.stage().toString(), expected, actual, tolerance, b, h, i, j);
                        }
                    }
                }
            }
        }
        return null;
    }

    private double score(int b, int h, int i, int j) {
        double sum = 0;
        for (int head = h; head < (p.averaged() ? heads : h + 1); head++) {
            sum += rows[(b * heads + head) * queries + i].stage(p.stage())[j];
        }
        return p.averaged() ? sum / heads : sum;
    }

    private double largestOf(int b, int h, int i) {
        double largest = largest();
        for (int head = h; head < (p.averaged() ? heads : h + 1); head++) {
            largest = Math.max(largest, rows[(b * heads + head) * queries + i].largestScaled);
        }
        return largest;
    }

    private static String differs(String what, double expected, double actual, double tolerance, int... index) {
        return what + Arrays.toString(index) + " expected=" + expected + " actual=" + actual + " tolerance=" + tolerance;
    }

    @Override
    public String toString() {
        return p.toString();
    }

    @Override
    public void close() {
        scope.close();
    }
}
