// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/** Where a cache keeps its rows. Not thread-safe. */
interface CacheStorage {
    /** The row dimension of keys and values. */
    int ROWS = 2;

    /** Stores `count` rows behind the `length` there are. */
    void append(Tensor k, Tensor v, long length, long count);

    /** Where the last of `length` rows are. */
    KeyRuns runs(long length);

    /** Copies rows of k and v from one index on to another place. */
    static void copy(Tensor k, Tensor v, long from, Tensor keys, Tensor values, long to, long count) {
        keys.slice(ROWS, to, to + count).copyFrom(k.slice(ROWS, from, from + count));
        values.slice(ROWS, to, to + count).copyFrom(v.slice(ROWS, from, from + count));
    }
}
