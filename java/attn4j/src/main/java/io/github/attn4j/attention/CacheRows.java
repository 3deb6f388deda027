// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.function.LongConsumer;

/** What the rows of a cache are: their type and sizes. Immutable and thread-safe. */
record CacheRows(DType dtype, long batch, long kvHeads, long headDim, long valueDim) {
    /** Storage of keys for so many rows. */
    Tensor keys(TensorScope scope, long rows) {
        return scope.zeros(dtype, batch, kvHeads, rows, headDim);
    }

    /** Storage of values for so many rows. */
    Tensor values(TensorScope scope, long rows) {
        return scope.zeros(dtype, batch, kvHeads, rows, valueDim);
    }

    /**
     * Checks the keys and values to be appended and calls `append` with their number, while their memory is held: it
     * cannot fail halfway because a scope was closed.
     */
    void whileHeld(Tensor k, Tensor v, LongConsumer append) {
        View keys = check(k, "k", headDim, "headDim");
        View values = check(v, "v", valueDim, "valueDim");
        Check.size(values, "v", 2, keys.size(2), "k.size(2)");
        keys.owner.acquire();
        try {
            values.owner.acquire();
            try {
                append.accept(keys.size(2));
            } finally {
                values.owner.release();
            }
        } finally {
            keys.owner.release();
        }
    }

    /** A type that a cache may have. */
    static DType checkType(DType type) {
        if (!type.isFloat()) {
            throw new IllegalArgumentException("a cache holds floating-point numbers: dtype=" + type
                + " expected=FLOAT32, BFLOAT16 or FLOAT16");
        }
        return type;
    }

    private View check(Tensor tensor, String name, long dim, String dimName) {
        View view = Check.floatRows(tensor, name, 4);
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException(name + " must have the type of the cache: dtype=" + tensor.dtype()
                + " cache=" + dtype + ", cast it first");
        }
        Check.size(view, name, 0, batch, "batch");
        Check.size(view, name, 1, kvHeads, "kvHeads");
        Check.size(view, name, 3, dim, dimName);
        return view;
    }
}
