// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;

/** The pages of a sequence, those with neighbouring numbers as one run. Not thread-safe. */
final class PagedRuns implements KeyRuns {
    private final PagePool pool;
    private long length;
    /** First row in the pool and first position of each run. */
    private long[] rows = new long[4];
    private long[] positions = new long[4];
    private int count;

    PagedRuns(PagePool pool) {
        this.pool = pool;
    }

    /** The runs are now those of the first `pages` of a table. */
    void update(int[] table, int pages, long newLength) {
        length = newLength;
        count = 0;
        for (int i = 0; i < pages; i++) {
            if (i == 0 || table[i] != table[i - 1] + 1) {
                if (count == rows.length) {
                    rows = Arrays.copyOf(rows, 2 * count);
                    positions = Arrays.copyOf(positions, 2 * count);
                }
                rows[count] = table[i] * pool.pageSize;
                positions[count++] = i * pool.pageSize;
            }
        }
    }

    /** The number of all keys. */
    long keys() {
        return length;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public Tensor k(int run) {
        return pool.keys;
    }

    @Override
    public Tensor v(int run) {
        return pool.values;
    }

    @Override
    public long first(int run) {
        return rows[run];
    }

    @Override
    public long length(int run) {
        return (run + 1 < count ? positions[run + 1] : length) - positions[run];
    }

    @Override
    public long position(int run) {
        return positions[run];
    }
}
