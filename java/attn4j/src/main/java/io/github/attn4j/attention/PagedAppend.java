// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.List;

/** Appends to sequences of a paged cache, to all or to none. Not thread-safe; allocates nothing once it is warm. */
final class PagedAppend {
    private final RowWriter writer;
    private final PagePool pool;
    private final ListedSequences sequences = new ListedSequences();

    PagedAppend(CacheRows rows, PagePool pool) {
        writer = new RowWriter(rows);
        this.pool = pool;
    }

    /** Appends to these, all of that cache; its lock is held and it is open. */
    void run(PagedKeyValueCache cache, List<PagedSequence> list, Tensor k, Tensor v, KeyRotation rotation,
             Tensor positions) {
        try {
            sequences.begin(list);
            check(cache);
            int count = sequences.count();
            long tokens = writer.begin(k, v, count, "sequences", rotation, positions);
            try {
                for (int b = 0; b < count; b++) {
                    writer.checkPositions(sequences.get(b).tokens());
                }
                checkPages(tokens);
                for (int b = 0; b < count; b++) {
                    sequences.get(b).append(writer, b, tokens);
                }
            } finally {
                writer.end();
            }
        } finally {
            sequences.clear();
        }
    }

    private void check(PagedKeyValueCache cache) {
        for (int b = 0; b < sequences.count(); b++) {
            PagedSequence sequence = sequences.get(b);
            if (sequence.cache() != cache) {
                throw new IllegalArgumentException("sequences must be of this cache: sequences[" + b + "]="
                    + sequence.name() + " is not");
            }
            sequence.checkOpen();
            sequence.listed = b;
        }
        for (int b = 0; b < sequences.count(); b++) {
            PagedSequence sequence = sequences.get(b);
            if (sequence.listed != b) {
                throw new IllegalArgumentException("a sequence must be there once: sequences[" + b + "] and sequences["
                    + sequence.listed + "] are " + sequence.name());
            }
        }
    }

    /** Whoever shares a page gives it up for a copy, but the last one, so that they are counted one after the other. */
    private void checkPages(long tokens) {
        int count = sequences.count();
        long needed = 0;
        for (int b = 0; b < count; b++) {
            PagedSequence sequence = sequences.get(b);
            needed += sequence.needs(tokens);
            if (sequence.copies) {
                pool.release(sequence.lastPage());
            }
        }
        for (int b = 0; b < count; b++) {
            PagedSequence sequence = sequences.get(b);
            if (sequence.copies) {
                pool.share(sequence.lastPage());
            }
        }
        if (needed > pool.free()) {
            throw new IllegalStateException("too few pages are free to append to "
                + (count == 1 ? sequences.get(0).name() : count + " sequences") + ": needed=" + needed + " free="
                + pool.free() + " pages=" + pool.pages() + ", close a sequence");
        }
    }
}
