// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * The rules that the layers' matrices share. A matrix is [..., width] of any rank; its rows are all but the last
 * dimension.
 */
final class Operands {
    private Operands() {}

    /** A matrix of this width. */
    static View matrix(Tensor tensor, String name, long width, String widthName) {
        View view = Check.matrix(tensor, name);
        Check.size(view, name, view.rank() - 1, width, widthName);
        return view;
    }

    /** FLOAT32 of either layout, or BFLOAT16 [out, in]. */
    static View weight(Tensor weight, WeightLayout layout) {
        View view = View.of(weight, "weight");
        if (view.type != View.BFLOAT16) {
            return Check.rows(weight, "weight", 2);
        }
        if (layout != WeightLayout.OUT_IN) {
            throw new IllegalArgumentException("a BFLOAT16 weight must lie as OUT_IN: layout=" + layout + " dtype="
                + view.typeName());
        }
        return Check.floatRows(weight, "weight", 2);
    }

    /** A matrix of this width, FLOAT32 or BFLOAT16. */
    static View wideMatrix(Tensor tensor, String name, long width, String widthName) {
        View view = Check.wideMatrix(tensor, name);
        Check.size(view, name, view.rank() - 1, width, widthName);
        return view;
    }

    /** An output of so many rows. */
    static View output(Tensor out, long rows, String rowsName, long width, String widthName) {
        View view = matrix(out, "out", width, widthName);
        if (view.rows() != rows) {
            throw misfit(rows(view, "out"), view.rows(), rowsName, rows);
        }
        Check.writable(view, "out");
        return view;
    }

    /** An output with the rows of x. */
    static View output(Tensor out, View x, long width, String widthName) {
        return output(matrix(out, "out", width, widthName), x);
    }

    /** An output with the rows of x. */
    static View output(View out, View x) {
        View view = sameRows(out, "out", x, "x");
        Check.writable(view, "out");
        return view;
    }

    /** An output of the size of x that may be x itself. */
    static View likeOrSame(Tensor out, View x) {
        View view = like(out, "out", x, "x");
        Check.writable(view, "out");
        Check.sameOrDisjoint(view, "out", x, "x");
        return view;
    }

    /** A matrix of the size of another. */
    static View like(Tensor tensor, String name, View other, String otherName) {
        View view = sameRows(Check.matrix(tensor, name), name, other, otherName);
        if (view.width() != other.width()) {
            throw misfit(width(view, name), view.width(), width(other, otherName), other.width());
        }
        return view;
    }

    /** A matrix with the rows of another. */
    static View sameRows(View view, String name, View other, String otherName) {
        if (view.rows() != other.rows()) {
            throw misfit(rows(view, name), view.rows(), rows(other, otherName), other.rows());
        }
        return view;
    }

    /** Null, or a residual of the size of `out` that may be `out` itself. */
    static View residual(Tensor residual, View out) {
        if (residual == null) {
            return null;
        }
        View view = like(residual, "residual", out, "out");
        Check.sameOrDisjoint(out, "out", view, "residual");
        return view;
    }

    /** A new result of the shape of x but for its width. */
    static Tensor newRows(TensorScope scope, Tensor x, long width) {
        return newRows(scope, x, DType.FLOAT32, width);
    }

    /** The same of a type. */
    static Tensor newRows(TensorScope scope, Tensor x, DType type, long width) {
        long[] sizes = x.shape().toArray();
        sizes[sizes.length - 1] = width;
        return scope.zeros(type, sizes);
    }

    /** [batch, rows, any width]. */
    static Tensor threeDims(Tensor tensor, String name) {
        Check.tensor(tensor, name, View.FLOAT32, 3);
        return tensor;
    }

    /** [batch, rows, width]. */
    static View sequence(Tensor tensor, String name, long width) {
        threeDims(tensor, name);
        return matrix(tensor, name, width, "width");
    }

    /** Null, or which keys are seen. */
    static void mask(Tensor mask, long batch, long heads, long queries, long keys) {
        if (mask == null) {
            return;
        }
        View view = View.of(mask, "mask");
        int rank = view.rank();
        if (view.type != View.BOOL || rank < 2 || rank > 4) {
            throw new IllegalArgumentException("mask must be BOOL of rank 2 to 4: mask=" + mask);
        }
        boolean fits = view.size(rank - 1) == keys && fits(view.size(rank - 2), queries)
            && (rank < 3 || fits(view.size(0), batch)) && (rank < 4 || fits(view.size(1), heads));
        if (!fits) {
            throw new IllegalArgumentException("mask must have this shape, or 1 for all but keys: mask.shape="
                + mask.shape() + " batch=" + batch + " heads=" + heads + " queries=" + queries + " keys=" + keys);
        }
        if (keys > 1 && view.stride(rank - 1) != 1) {
            throw new IllegalArgumentException("mask must have innermost stride 1: stride(" + (rank - 1) + ")="
                + view.stride(rank - 1));
        }
    }

    /** A mask as [batch, heads, queries, keys]; its dimensions may be 1. */
    static Tensor fourDims(Tensor mask) {
        return mask.rank() == 3 ? mask.reshape(mask.size(0), 1, mask.size(1), mask.size(2)) : mask;
    }

    /** Where the weights of each head go. */
    static View weights(Tensor weights, long batch, long heads, long queries, long keys) {
        View view = Check.rows(weights, "weights", 4);
        Check.writable(view, "weights");
        Check.size(view, "weights", 0, batch, "batch");
        Check.size(view, "weights", 1, heads, "heads");
        Check.size(view, "weights", 2, queries, "queries");
        Check.size(view, "weights", 3, keys, "keys");
        return view;
    }

    private static boolean fits(long size, long full) {
        return size == 1 || size == full;
    }

    private static IllegalArgumentException misfit(String name, long size, String expectedName, long expected) {
        return new IllegalArgumentException(name + " must equal " + expectedName + ": " + name + "=" + size + " "
            + expectedName + "=" + expected);
    }

    /** What messages call the rows. */
    private static String rows(View view, String name) {
        return name + (view.rank() == 2 ? ".size(0)" : ".rows");
    }

    private static String width(View view, String name) {
        return name + ".size(" + (view.rank() - 1) + ")";
    }
}
