// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

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
     * Checks the keys and values to be appended and holds their memory until {@link #release}, so that the appending
     * cannot fail halfway because a scope was closed. Their number is returned.
     */
    long hold(Tensor k, Tensor v) {
        View keys = check(k, "k", headDim, "headDim");
        View values = check(v, "v", valueDim, "valueDim");
        Check.size(values, "v", 2, keys.size(2), "k.size(2)");
        keys.owner.acquire();
        boolean held = false;
        try {
            values.owner.acquire();
            held = true;
        } finally {
            if (!held) {
                keys.owner.release();
            }
        }
        return keys.size(2);
    }

    /** Ends what {@link #hold} began. */
    void release(Tensor k, Tensor v) {
        View.of(v, "v").owner.release();
        View.of(k, "k").owner.release();
    }

    private View check(Tensor tensor, String name, long dim, String dimName) {
        View view = Check.floatRows(tensor, name, 4);
        if (tensor.dtype() != dtype && tensor.dtype() != DType.FLOAT32) {
            throw new IllegalArgumentException(name + " must be FLOAT32 or have the type of the cache: dtype="
                + tensor.dtype() + " cache=" + dtype + ", cast it first");
        }
        Check.size(view, name, 0, batch, "batch");
        Check.size(view, name, 1, kvHeads, "kvHeads");
        Check.size(view, name, 3, dim, dimName);
        return view;
    }
}
