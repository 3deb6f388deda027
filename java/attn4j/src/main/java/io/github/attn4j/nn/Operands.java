// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The rules that the layers' matrices share. */
final class Operands {
    private Operands() {}

    /** A matrix of these sizes. */
    static View matrix(Tensor tensor, String name, long rows, String rowsName, long width, String widthName) {
        View view = Check.rows(tensor, name, 2);
        Check.size(view, name, 0, rows, rowsName);
        Check.size(view, name, 1, width, widthName);
        return view;
    }

    /** An output of these sizes. */
    static View output(Tensor out, long rows, String rowsName, long width, String widthName) {
        View view = matrix(out, "out", rows, rowsName, width, widthName);
        Check.writable(view, "out");
        return view;
    }

    /** An output of the sizes of x that may be x itself. */
    static View likeOrSame(Tensor out, View x) {
        View view = output(out, x.size(0), "x.size(0)", x.size(1), "x.size(1)");
        Check.sameOrDisjoint(view, "out", x, "x");
        return view;
    }

    /** Null, or a residual of the sizes of `out` that may be `out` itself. */
    static View residual(Tensor residual, View out) {
        if (residual == null) {
            return null;
        }
        View view = matrix(residual, "residual", out.size(0), "out.size(0)", out.size(1), "out.size(1)");
        Check.sameOrDisjoint(out, "out", view, "residual");
        return view;
    }

    /** A new result with as many rows as `like`. */
    static Tensor newRows(TensorScope scope, View like, long width) {
        return scope.zeros(DType.FLOAT32, like.size(0), width);
    }
}
