// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.BitSet;

/**
 * Pages of rows, each with a count of those who use it. Rows of pages with neighbouring numbers lie behind each other,
 * so that a run of such pages is one segment. Not thread-safe.
 */
final class PagePool {
    /** [1, kvHeads, pages * pageSize, headDim] */
    final Tensor keys;
    /** [1, kvHeads, pages * pageSize, valueDim] */
    final Tensor values;
    final long pageSize;
    final RowWriter writer = new RowWriter();
    private final int[] users;
    private final BitSet used;
    private int free;

    PagePool(TensorScope scope, CacheRows rows, int pages, long pageSize) {
        keys = rows.keys(scope, pages * pageSize);
        values = rows.values(scope, pages * pageSize);
        this.pageSize = pageSize;
        users = new int[pages];
        used = new BitSet(pages);
        free = pages;
    }

    int pages() {
        return users.length;
    }

    int free() {
        return free;
    }

    boolean isShared(int page) {
        return users[page] > 1;
    }

    /** A page for one user, the one asked for if it is free. There is a free one. */
    int take(int wanted) {
        int page = wanted < users.length && !used.get(wanted) ? wanted : used.nextClearBit(0);
        used.set(page);
        users[page] = 1;
        free--;
        return page;
    }

    /** One more user. */
    void share(int page) {
        users[page]++;
    }

    /** One user less; without any the page is free. */
    void release(int page) {
        if (--users[page] == 0) {
            used.clear(page);
            free++;
        }
    }

    /** Copies the first rows of a page to another. */
    void copy(int from, int to, long rows) {
        writer.copy(keys, values, from * pageSize, keys, values, to * pageSize, rows);
    }
}
