// SPDX-License-Identifier: Apache-2.0
// Plain operands are [batch, heads, rows, dim], ragged ones [rows, heads, dim] with the batch taken as 1 here. Keys and
// values in pages are [pages, heads, rows, dim] in both. So the rank of an operand says where its rows are.
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.CumulativeLengths;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * Capacities, fixed sizes and strides of a plan's operands. Checks whether the tensors of a run fit; allocates
 * nothing.
 */
final class Layout {
    /** The dimension of the heads, in both. */
    private static final int HEADS = 1;
    private static final String[] NAMES = {"q", "k", "v", "out"};

    final boolean ragged;
    final long batch;
    final long heads;
    final long kvHeads;
    final long queries;
    final long keys;
    final long headDim;
    final long valueDim;
    /** Strides of q, k, v, out: batch, head, row. */
    final long[][] strides = new long[4][3];
    /** Their element types. */
    final int[] types = new int[4];

    private Layout(boolean ragged, long batch, long keys, View q, View k, View v, View out) {
        this.ragged = ragged;
        this.batch = batch;
        this.heads = q.size(HEADS);
        this.kvHeads = k.size(HEADS);
        this.queries = q.size(rowDim(q));
        this.keys = keys;
        this.headDim = q.width();
        this.valueDim = v.width();
        View[] operands = {q, k, v, out};
        for (int i = 0; i < 4; i++) {
            strides[i][0] = hasBatch(operands[i]) ? operands[i].stride(0) : 0;
            strides[i][1] = operands[i].stride(HEADS);
            strides[i][2] = operands[i].stride(rowDim(operands[i]));
            types[i] = operands[i].type;
        }
    }

    /** Ragged where cumulative lengths are given, which are looked at. */
    static Layout of(boolean ragged, AttentionInputs in, Tensor out) {
        check(ragged, in.isRagged(), in.q, in.k, in.v, in);
        View q = View.of(in.q, "q");
        View k = View.of(in.k, "k");
        View v = View.of(in.v, "v");
        View result = result(ragged, q, v, out);
        long keys = new KeyLayout(in).keys(k);
        if (!ragged) {
            return new Layout(false, q.size(0), keys, q, k, v, result);
        }
        Layout layout = new Layout(true, sequences(in.cuQueries, in.cuKeys), keys, q, k, v, result);
        CumulativeLengths.ofRows(View.of(in.cuQueries, "cuQueries"), "cuQueries", layout.queries, "q.size(0)");
        if (in.pages == null) {
            CumulativeLengths.ofRows(View.of(in.cuKeys, "cuKeys"), "cuKeys", layout.keys, "k.size(0)");
        } else {
            CumulativeLengths.ofPages(View.of(in.cuKeys, "cuKeys"), "cuKeys", layout.keys);
        }
        return layout;
    }

    /** The rules that q, k and v obey among themselves, and with the scales and pages of `keys`. */
    static void check(boolean ragged, boolean asRagged, Tensor q, Tensor k, Tensor v, AttentionInputs keys) {
        checkOperands(ragged, asRagged, keys.pages != null, q, k, v);
        KeyLayout.check(keys, q, k, v);
    }

    /** The rules that q, k and v obey among themselves. */
    static void checkOperands(boolean ragged, boolean asRagged, boolean paged, Tensor q, Tensor k, Tensor v) {
        if (ragged != asRagged) {
            throw new IllegalStateException(ragged
                ? "this attention is ragged: pass cuQueries and cuKeys"
                : "this attention is not ragged: build it with ragged() to pass cuQueries and cuKeys");
        }
        int keyRank = ragged && !paged ? 3 : 4;
        View query = Check.floatRows(q, "q", ragged ? 3 : 4);
        View key = Check.keyRows(k, "k", keyRank);
        View value = Check.keyRows(v, "v", keyRank);
        if (paged) {
            Check.size(value, "v", 0, key.size(0), "pages");
        } else if (!ragged) {
            Check.size(key, "k", 0, query.size(0), "batch");
            Check.size(value, "v", 0, query.size(0), "batch");
        }
        int rows = rowDim(key);
        Check.size(value, "v", HEADS, key.size(HEADS), "kvHeads");
        Check.size(value, "v", rows, key.size(rows), paged ? "pageSize" : ragged ? "totalKeys" : "keys");
        Check.size(key, "k", keyRank - 1, query.width(), "headDim");
        positive(query.size(HEADS), "heads");
        positive(key.size(HEADS), "kvHeads");
        positive(query.width(), "headDim");
        positive(value.width(), "valueDim");
        if (query.size(HEADS) % key.size(HEADS) != 0) {
            throw new IllegalArgumentException("kvHeads must divide heads: heads=" + query.size(HEADS) + " kvHeads="
                + key.size(HEADS));
        }
    }

    /** `out` as the result of these operands. */
    static View result(boolean ragged, View q, View v, Tensor out) {
        int rank = ragged ? 3 : 4;
        View result = Check.floatRows(out, "out", rank);
        Check.writable(result, "out");
        for (int i = 0; i < rank - 1; i++) {
            Check.size(result, "out", i, q.size(i), dimName(ragged, i));
        }
        Check.size(result, "out", rank - 1, v.width(), "valueDim");
        return result;
    }

    /** The number of sequences that the two cumulative lengths describe. */
    static long sequences(Tensor cuQueries, Tensor cuKeys) {
        View queries = Check.vector(cuQueries, "cuQueries", View.INT64);
        View keys = Check.vector(cuKeys, "cuKeys", View.INT64);
        if (queries.size(0) < 1) {
            throw new IllegalArgumentException("cuQueries must have sequences + 1 elements: cuQueries.size(0)="
                + queries.size(0) + " minimum=1");
        }
        Check.size(keys, "cuKeys", 0, queries.size(0), "cuQueries.size(0)");
        return queries.size(0) - 1;
    }

    /** q, k, v, out of a run: within the capacities, with the fixed sizes, types and strides, out sharing nothing. */
    void checkRun(View q, View k, View v, View out, long runKeys) {
        Check.size(q, "q", HEADS, heads, "the plan's heads");
        Check.size(k, "k", HEADS, kvHeads, "the plan's kvHeads");
        Check.size(q, "q", q.rank() - 1, headDim, "the plan's headDim");
        Check.size(v, "v", v.rank() - 1, valueDim, "the plan's valueDim");
        if (!ragged) {
            atMost(q.size(0), batch, "batch");
        }
        atMost(q.size(rowDim(q)), queries, ragged ? "totalQueries" : "queries");
        atMost(runKeys, keys, hasBatch(k) ? "keys" : "totalKeys");
        checkOperand(q, 0);
        checkOperand(k, 1);
        checkOperand(v, 2);
        checkOperand(out, 3);
        Check.disjoint(out, "out", q, "q");
        Check.disjoint(out, "out", k, "k");
        Check.disjoint(out, "out", v, "v");
    }

    /** Whether the tensors have exactly these sizes, types and strides. */
    boolean isFor(View q, View k, View v, View out, long sequences, boolean paged) {
        return heads == q.size(HEADS) && kvHeads == k.size(HEADS) && queries == q.size(rowDim(q))
            && (paged || keys == k.size(rowDim(k))) && headDim == q.width() && valueDim == v.width()
            && batch == (ragged ? sequences : q.size(0))
            && isFor(q, 0) && isFor(k, 1) && isFor(v, 2) && isFor(out, 3);
    }

    void atMost(long size, long capacity, String name) {
        if (size > capacity) {
            throw new IllegalArgumentException(name + " must be at most the plan's: " + name + "=" + size + " capacity="
                + capacity);
        }
    }

    private boolean isFor(View view, int operand) {
        return view.type == types[operand] && hasStride(view, operand, 1, HEADS)
            && hasStride(view, operand, 2, rowDim(view)) && (!hasBatch(view) || hasStride(view, operand, 0, 0));
    }

    /** The stride of a dimension of size 1 does not matter. */
    private boolean hasStride(View view, int operand, int which, int dim) {
        return view.size(dim) <= 1 || view.stride(dim) == strides[operand][which];
    }

    private void checkOperand(View view, int operand) {
        if (view.type != types[operand]) {
            String name = NAMES[operand];
            throw new IllegalArgumentException(name + " must have the plan's type: " + name + ".dtype="
                + view.typeName() + " planned=" + View.typeName(types[operand]));
        }
        checkStride(view, operand, 1, HEADS);
        checkStride(view, operand, 2, rowDim(view));
        if (hasBatch(view)) {
            checkStride(view, operand, 0, 0);
        }
    }

    private void checkStride(View view, int operand, int which, int dim) {
        if (!hasStride(view, operand, which, dim)) {
            String name = NAMES[operand];
            throw new IllegalArgumentException(name + " must have the plan's strides: " + name + ".stride(" + dim + ")="
                + view.stride(dim) + " planned=" + strides[operand][which]);
        }
    }

    private static void positive(long size, String name) {
        if (size < 1) {
            throw new IllegalArgumentException(name + " must be at least 1: " + name + "=" + size);
        }
    }

    /** Whether the first dimension is one of batch entries or pages, and not of rows. */
    private static boolean hasBatch(View operand) {
        return operand.rank() == 4;
    }

    /** The dimension of an operand's rows. */
    static int rowDim(View operand) {
        return hasBatch(operand) ? 2 : 0;
    }

    private static String dimName(boolean ragged, int dim) {
        if (ragged) {
            return dim == 0 ? "totalQueries" : "heads";
        }
        return dim == 0 ? "batch" : dim == 1 ? "heads" : "queries";
    }
}
