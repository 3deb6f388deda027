// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

/** Where a cache keeps its rows, and the runs that they are. Not thread-safe. */
interface CacheStorage extends KeyRuns {
    /** Stores the `count` rows of an append behind those there are. */
    void append(RowWriter writer, long count);

    /** How many rows were appended, the position of the next. */
    long length();

    /** The position of the oldest that is there. */
    long begin();

    /** The most rows that are there at once. */
    long capacity();

    /** Forgets all rows and keeps the memory. */
    void clear();
}
