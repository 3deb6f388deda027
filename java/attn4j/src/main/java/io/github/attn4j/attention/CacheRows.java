// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** What the rows of a cache are, their type and sizes, and how they are appended. Immutable and thread-safe. */
record CacheRows(DType dtype, long kvHeads, long headDim, long valueDim, Isa isa, int threads) {
    /** Storage of so many rows, of so many batch entries or pages. */
    KeyValues storage(TensorScope scope, long blocks, long rows) {
        return new KeyValues(scope.zeros(dtype, blocks, kvHeads, rows, headDim),
            scope.zeros(dtype, blocks, kvHeads, rows, valueDim), scales(scope, blocks, rows),
            scales(scope, blocks, rows));
    }

    private Tensor scales(TensorScope scope, long blocks, long rows) {
        return dtype == DType.INT8 ? scope.zeros(DType.FLOAT32, blocks, kvHeads, rows) : null;
    }

    /** Keys that may be appended. */
    View keys(Tensor k, long entries, String entriesName) {
        return check(k, "k", entries, entriesName, headDim, "headDim");
    }

    /** Values that may be appended. */
    View values(Tensor v, long entries, String entriesName) {
        return check(v, "v", entries, entriesName, valueDim, "valueDim");
    }

    private View check(Tensor tensor, String name, long entries, String entriesName, long dim, String dimName) {
        View view = Check.floatRows(tensor, name, 4);
        Check.size(view, name, 0, entries, entriesName);
        Check.size(view, name, 1, kvHeads, "kvHeads");
        Check.size(view, name, 3, dim, dimName);
        return view;
    }
}
