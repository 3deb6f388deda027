// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Random;

/** The lengths and tensors of a problem, drawn by its seed. */
final class TrialInputs implements AutoCloseable {
    /** Drawn once, as drawing takes longer than attention does. */
    private static final float[] NORMAL = Samples.normal(1, 1 << 16);

    final Problem p;
    final int batch;
    final int heads;
    final int queries;
    final int keys;
    final boolean ragged;
    /** Rows of each sequence before its own, and one past the last; one sequence's sizes if not ragged. */
    final long[] cuQueries;
    final long[] cuKeys;
    final long[] keyLengths;
    final long[] offsets;
    final Tensor q;
    final StoredRows k;
    final StoredRows v;
    /** Pages of each sequence, null for none. */
    final long[] table;
    /** These are null for none. */
    final Tensor bias;
    final Tensor mask;
    final float[] slopes;
    final float[] sinks;
    private final TensorScope scope = TensorScope.open();
    private final Random random;

    TrialInputs(Problem p) {
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
        slopes = p.is("slopes") ? slopes() : null;
        sinks = p.is("sinks") ? normal(heads) : null;
    }

    private long[] cumulative(int most) {
        long[] cumulative = new long[batch + 1];
        for (int b = 0; b < batch; b++) {
            cumulative[b + 1] = cumulative[b] + (ragged ? random.nextInt(most + 1) : most);
        }
        return cumulative;
    }

    int queries(int b) {
        return (int) (cuQueries[b + 1] - cuQueries[b]);
    }

    int keys(int b) {
        return (int) (cuKeys[b + 1] - cuKeys[b]);
    }

    float scale() {
        return (float) (1 / Math.sqrt(p.get("headDim")) * new double[] {1, 0.3, -0.7}[p.get("scale")]);
    }

    /** Of the dropout. */
    long seed() {
        return p.get("seed") * 0x123456789L;
    }

    private long offset(int b) {
        if (p.get("offsets") == 2 && !p.is("slopes")) {
            return new long[] {Long.MIN_VALUE, -queries - 1, keys + 1, Long.MAX_VALUE}[random.nextInt(4)];
        }
        long nearby = random.nextInt(queries + keys + 4) - queries - 2;
        return p.is("offsets") ? nearby : p.is("topLeft") ? 0 : keyLengths[b] - queries(b);
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

    /** In one of four layouts: packed, rows before heads, rows with gaps, or batch last but for the row. */
    Tensor operand(TensorScope scope, int number, int count, int dim) {
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

    @Override
    public void close() {
        scope.close();
    }
}
