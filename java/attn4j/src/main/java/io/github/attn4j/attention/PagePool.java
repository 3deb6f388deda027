// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.BitSet;

/** Pages of rows, each with a count of those who use it. Not thread-safe. */
final class PagePool {
    /** [pages, kvHeads, pageSize, ...] */
    final KeyValues rows;
    final long pageSize;
    private final int[] users;
    private final BitSet used;
    private int free;

    PagePool(TensorScope scope, CacheRows rows, int pages, long pageSize) {
        users = new int[pages];
        used = new BitSet(pages);
        free = pages;
        this.rows = rows.storage(scope, pages, pageSize);
        this.pageSize = pageSize;
    }

    int pages() {
        return users.length;
    }

    int free() {
        return free;
    }

    boolean isShared(long page) {
        return users[(int) page] > 1;
    }

    /** A page for one user. There is a free one. */
    int take() {
        int page = used.nextClearBit(0);
        used.set(page);
        users[page] = 1;
        free--;
        return page;
    }

    /** One more user. */
    void share(long page) {
        users[(int) page]++;
    }

    /** One user less; without any the page is free. */
    void release(long page) {
        if (--users[(int) page] == 0) {
            used.clear((int) page);
            free++;
        }
    }

    /** Copies a page to another. */
    void copy(long from, long to) {
        copy(rows.k(), from, to);
        copy(rows.v(), from, to);
        if (rows.kScales() != null) {
            copy(rows.kScales(), from, to);
            copy(rows.vScales(), from, to);
        }
    }

    private static void copy(Tensor pages, long from, long to) {
        pages.select(0, to).copyFrom(pages.select(0, from));
    }
}
