// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.RowCopy;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/** Copies rows of keys and values to where a cache keeps them. Not thread-safe; allocates nothing. */
final class RowWriter {
    private final RowCopy copy = new RowCopy();

    /** Rows from `from` on of k and v to those from `to` on of keys and values. */
    void copy(Tensor k, Tensor v, long from, Tensor keys, Tensor values, long to, long count) {
        copy.run(View.of(k, "k"), from, View.of(keys, "keys"), to, count);
        copy.run(View.of(v, "v"), from, View.of(values, "values"), to, count);
    }
}
