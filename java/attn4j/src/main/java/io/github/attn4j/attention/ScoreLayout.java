// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * How a bias, a mask or scores lie over [batch, heads, queries, keys]. Checks whether the tensor of a run fits;
 * allocates nothing then.
 */
final class ScoreLayout {
    private static final int QUERIES = 2;
    private static final int KEYS = 3;
    private static final String[] DIMS = {"batch", "heads", "queries", "keys"};

    private final String name;
    private final int type;
    private final boolean written;
    private final boolean averaged;
    /** Whether runs take some of the keys, wherever they are among those of the tensor. */
    private final boolean part;
    /** Whether one index serves all of a dimension. */
    private final boolean[] repeated = new boolean[4];
    /** Strides of the four dimensions, 0 where repeated. */
    final long[] strides = new long[4];
    /** The most queries and keys of a sequence of a ragged plan. */
    private long queries = Long.MAX_VALUE;
    private long keys = Long.MAX_VALUE;

    private ScoreLayout(String name, int type, boolean written, boolean averaged, boolean part) {
        this.name = name;
        this.type = type;
        this.written = written;
        this.averaged = averaged;
        this.part = part;
    }

    /** Null for no tensor. */
    static ScoreLayout bias(Tensor bias, Layout layout, boolean part) {
        return bias == null ? null : new ScoreLayout("bias", View.FLOAT32, false, false, part).plan(bias, layout);
    }

    /** Null for no tensor. */
    static ScoreLayout mask(Tensor mask, Layout layout, boolean part) {
        return mask == null ? null : new ScoreLayout("mask", View.BOOL, false, false, part).plan(mask, layout);
    }

    /** Of what is written; without a dimension of heads if averaged. */
    static ScoreLayout scores(Tensor scores, boolean averaged, Layout layout) {
        return new ScoreLayout("scores", View.FLOAT32, true, averaged, false).plan(scores, layout);
    }

    /** The most queries a sequence of a ragged plan may have. */
    static long queries(ScoreLayout layout, long otherwise) {
        return layout == null ? otherwise : Math.min(layout.queries, otherwise);
    }

    /** The most keys a sequence of a ragged plan may have. */
    static long keys(ScoreLayout layout, long otherwise) {
        return layout == null ? otherwise : Math.min(layout.keys, otherwise);
    }

    private ScoreLayout plan(Tensor tensor, Layout layout) {
        View view = view(tensor);
        for (int i = 0; i < 4; i++) {
            long size = size(view, i);
            boolean bound = layout.ragged && i >= QUERIES;
            long full = bound || part && i == KEYS ? size
                : full(i, layout.batch, layout.heads, layout.queries, layout.keys);
            // A size of 1 that is full is as good as repeated: a run has no more.
            repeated[i] = size == 1 && (!written || full == 1 && !bound);
            if (!repeated[i] && size != full) {
                throw misfit(view, i, full);
            }
            strides[i] = repeated[i] ? 0 : i == KEYS ? 1 : stride(view, i);
            if (bound && !repeated[i]) {
                queries = i == QUERIES ? size : queries;
                keys = i == KEYS ? size : keys;
            }
        }
        return this;
    }

    /** The view of a run's tensor, null for none, where the plan has none. */
    static View check(ScoreLayout layout, String name, Tensor tensor, boolean ragged, long batch, long heads,
                      long queries, long keys) {
        if ((layout == null) != (tensor == null)) {
            throw new IllegalArgumentException(name + " must be given exactly where the plan has it: " + name + "="
                + (tensor == null ? "null" : tensor) + " plan=" + (layout == null ? "without" : "with"));
        }
        return layout == null ? null : layout.check(tensor, ragged, batch, heads, queries, keys);
    }

    private View check(Tensor tensor, boolean ragged, long batch, long heads, long queryRows, long keyRows) {
        View view = view(tensor);
        for (int i = 0; i < 4; i++) {
            long size = size(view, i);
            boolean bound = ragged && i >= QUERIES;
            long full = part && i == KEYS ? size : !bound ? full(i, batch, heads, queryRows, keyRows)
                : i == QUERIES ? queries : keys;
            if (repeated[i] && (size > 1 || size == 0 && full > 0)) {
                throw new IllegalArgumentException(name + " has one index for all " + DIMS[i] + " in the plan: shape="
                    + view.shape() + " " + DIMS[i] + "=" + full);
            }
            if (!repeated[i] && size != full) {
                throw misfit(view, i, full);
            }
        }
        for (int i = 0; i < 4; i++) {
            if (size(view, i) > 1 && stride(view, i) != strides[i]) {
                throw new IllegalArgumentException(name + " must have the plan's strides: stride of " + DIMS[i] + "="
                    + stride(view, i) + " planned=" + strides[i]);
            }
        }
        return view;
    }

    /** Whether this tensor was planned for; checked before. */
    static boolean isFor(ScoreLayout layout, Tensor tensor) {
        if (layout == null || tensor == null) {
            return layout == null && tensor == null;
        }
        View view = layout.view(tensor);
        boolean same = true;
        for (int i = 0; i < 4; i++) {
            long size = layout.size(view, i);
            same &= layout.repeated[i] ? size == 1 : size != 1 || layout.written;
            same &= size <= 1 || layout.stride(view, i) == layout.strides[i];
        }
        return same && (layout.queries == Long.MAX_VALUE || layout.size(view, QUERIES) == layout.queries)
            && (layout.keys == Long.MAX_VALUE || layout.size(view, KEYS) == layout.keys);
    }

    /** Type, rank and innermost stride. */
    private View view(Tensor tensor) {
        View view = View.of(tensor, name);
        if (view.type != type) {
            throw new IllegalArgumentException(name + " has the wrong type: dtype=" + view.typeName() + " expected="
                + (type == View.BOOL ? "BOOL" : "FLOAT32") + (view.isFloat() && !written ? ", cast it first" : ""));
        }
        int rank = averaged ? 3 : 4;
        if (view.rank() > rank || view.rank() < (written ? rank : 1)) {
            throw new IllegalArgumentException(name + " must have rank " + (written ? "" + rank : "1 to 4") + ": rank="
                + view.rank() + " shape=" + view.shape());
        }
        int last = view.rank() - 1;
        if (view.size(last) > 1 && view.stride(last) != 1) {
            throw new IllegalArgumentException(name + " must have innermost stride 1: stride(" + last + ")="
                + view.stride(last) + " shape=" + view.shape() + ", copy it first");
        }
        if (written) {
            Check.writable(view, name);
        }
        return view;
    }

    /** The dimension of the view that stands for one of the four, negative for none. */
    private int dim(View view, int i) {
        return !averaged ? i - (4 - view.rank()) : i == 0 ? 0 : i == 1 ? -1 : i - 1;
    }

    private long size(View view, int i) {
        int dim = dim(view, i);
        return dim < 0 ? 1 : view.size(dim);
    }

    private long stride(View view, int i) {
        int dim = dim(view, i);
        return dim < 0 ? 0 : view.stride(dim);
    }

    private long full(int i, long batch, long heads, long queryRows, long keyRows) {
        return i == 0 ? batch : i == 1 ? averaged ? 1 : heads : i == QUERIES ? queryRows : keyRows;
    }

    private IllegalArgumentException misfit(View view, int i, long full) {
        return new IllegalArgumentException(name + " must " + (written ? "have the shape of the scores" : "broadcast")
            + ": " + name + ".size(" + dim(view, i) + ")=" + size(view, i) + " " + DIMS[i] + "=" + full + " shape="
            + view.shape());
    }
}
