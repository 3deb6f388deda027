// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/** Where a cache keeps its rows, and the runs that they are. Not thread-safe. */
interface CacheStorage extends KeyRuns {
    /** Stores `count` rows behind those there are; their memory is held. */
    void append(Tensor k, Tensor v, long count);

    /** How many rows were appended, the position of the next. */
    long length();

    /** The position of the oldest that is there. */
    long begin();

    /** The most rows that are there at once. */
    long capacity();

    /** Forgets all rows and keeps the memory. */
    void clear();
}
