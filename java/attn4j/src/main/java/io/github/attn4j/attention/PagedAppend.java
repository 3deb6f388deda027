// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Appends to sequences of a paged cache, to all or to none. Not thread-safe; allocates nothing once it is warm. */
final class PagedAppend {
    private final RowWriter writer;
    private final PagePool pool;
    private PagedSequence[] sequences = new PagedSequence[4];

    PagedAppend(CacheRows rows, PagePool pool) {
        writer = new RowWriter(rows);
        this.pool = pool;
    }

    /** Appends to these, all of that cache; its lock is held and it is open. */
    void run(PagedKeyValueCache cache, List<PagedSequence> list, Tensor k, Tensor v, KeyRotation rotation,
             Tensor positions) {
        int count = list.size();
        if (count > sequences.length) {
            sequences = new PagedSequence[2 * count];
        }
        try {
            for (int b = 0; b < count; b++) {
                sequences[b] = Objects.requireNonNull(list.get(b), "a sequence must not be null");
            }
            check(cache, count);
            long tokens = writer.begin(k, v, count, "sequences", rotation, positions);
            try {
                for (int b = 0; b < count; b++) {
                    writer.checkPositions(sequences[b].tokens());
                }
                checkPages(count, tokens);
                for (int b = 0; b < count; b++) {
                    sequences[b].append(writer, b, tokens);
                }
            } finally {
                writer.end();
            }
        } finally {
            Arrays.fill(sequences, null);
        }
    }

    private void check(PagedKeyValueCache cache, int count) {
        for (int b = 0; b < count; b++) {
            if (sequences[b].cache() != cache) {
                throw new IllegalArgumentException("sequences must be of this cache: sequences[" + b + "]="
                    + sequences[b].name() + " is not");
            }
            sequences[b].checkOpen();
            sequences[b].listed = b;
        }
        for (int b = 0; b < count; b++) {
            if (sequences[b].listed != b) {
                throw new IllegalArgumentException("a sequence must be there once: sequences[" + b + "] and sequences["
                    + sequences[b].listed + "] are " + sequences[b].name());
            }
        }
    }

    /** Whoever shares a page gives it up for a copy, but the last one, so that they are counted one after the other. */
    private void checkPages(int count, long tokens) {
        long needed = 0;
        for (int b = 0; b < count; b++) {
            needed += sequences[b].needs(tokens);
            if (sequences[b].copies) {
                pool.release(sequences[b].lastPage());
            }
        }
        for (int b = 0; b < count; b++) {
            if (sequences[b].copies) {
                pool.share(sequences[b].lastPage());
            }
        }
        if (needed > pool.free()) {
            throw new IllegalStateException("too few pages are free to append to "
                + (count == 1 ? sequences[0].name() : count + " sequences") + ": needed=" + needed + " free="
                + pool.free() + " pages=" + pool.pages() + ", close a sequence");
        }
    }
}
