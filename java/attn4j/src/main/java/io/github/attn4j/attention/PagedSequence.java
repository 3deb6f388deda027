// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.Lock;

/**
 * A sequence of a {@link PagedKeyValueCache}: a table of its pages. Thread-safe: changes to a cache's sequences wait for
 * each other and for attention under way. To be closed, which gives its pages back.
 */
public final class PagedSequence implements AutoCloseable {
    final PagedKeyValueCache cache;
    private final String name;
    private final PagedRuns runs;
    private int[] table;
    private int pages;
    private long length;
    private boolean closed;

    PagedSequence(PagedKeyValueCache cache, String name) {
        this.cache = cache;
        this.name = Objects.requireNonNull(name, "name must not be null");
        table = new int[4];
        runs = new PagedRuns(cache.pool);
    }

    /** {@return the name it was given} */
    public String name() {
        return name;
    }

    /**
     * The number of tokens.
     *
     * @return at least 0
     */
    public long length() {
        Lock read = cache.lock.readLock();
        read.lock();
        try {
            return length;
        } finally {
            read.unlock();
        }
    }

    /**
     * The number of pages it uses, shared ones included.
     *
     * @return at least 0
     */
    public int pages() {
        Lock read = cache.lock.readLock();
        read.lock();
        try {
            return pages;
        } finally {
            read.unlock();
        }
    }

    /**
     * Appends the keys and values of n tokens, which are copied; FLOAT32 is rounded to the cache's type, to the nearest,
     * ties to even. A last page that is shared with a fork is copied before it is written to.
     *
     * @param k [1, kvHeads, n, headDim], FLOAT32 or of the cache's type; innermost stride 1
     * @param v [1, kvHeads, n, valueDim], likewise
     * @throws IllegalArgumentException if they do not fit; nothing was appended then
     * @throws IllegalStateException if too few pages are free, or this, the cache or a scope is closed; nothing was
     *     appended then
     */
    public void append(Tensor k, Tensor v) {
        Lock write = cache.lock.writeLock();
        write.lock();
        try {
            checkOpen();
            long count = cache.rows.hold(k, v);
            try {
                append(k, v, count);
            } finally {
                cache.rows.release(k, v);
            }
        } finally {
            write.unlock();
        }
    }

    /**
     * Another sequence with the same tokens so far. It shares the pages of this one, and copies none.
     *
     * @param forkName how the leak check calls it
     * @return the sequence, to be closed
     * @throws IllegalStateException if this or the cache is closed
     */
    public PagedSequence fork(String forkName) {
        Lock write = cache.lock.writeLock();
        write.lock();
        try {
            checkOpen();
            PagedSequence fork = cache.added(forkName);
            fork.table = Arrays.copyOf(table, Math.max(4, pages));
            fork.pages = pages;
            fork.length = length;
            fork.runs.update(fork.table, pages, length);
            for (int i = 0; i < pages; i++) {
                cache.pool.share(table[i]);
            }
            return fork;
        } finally {
            write.unlock();
        }
    }

    /** Evicts the sequence: gives its pages back, those that no fork uses. Does nothing the second time. */
    @Override
    public void close() {
        Lock write = cache.lock.writeLock();
        write.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            for (int i = 0; i < pages; i++) {
                cache.pool.release(table[i]);
            }
            cache.remove(this);
        } finally {
            write.unlock();
        }
    }

    /** How a leak is named. */
    @Override
    public String toString() {
        return name + " (length=" + length() + " pages=" + pages() + ")";
    }

    /** Neither this nor the cache is closed; the lock is held. */
    void checkOpen() {
        cache.checkOpen();
        if (closed) {
            throw new IllegalStateException("this PagedSequence is closed: name=" + name);
        }
    }

    /** Its runs; the lock is held. */
    PagedRuns runs() {
        return runs;
    }

    private void append(Tensor k, Tensor v, long count) {
        PagePool pool = cache.pool;
        long size = pool.pageSize;
        long end = length + count;
        boolean copies = count > 0 && length % size > 0 && pool.isShared(table[pages - 1]);
        long needed = (end + size - 1) / size - pages + (copies ? 1 : 0);
        if (needed > pool.free()) {
            throw new IllegalStateException("too few pages are free to append to " + name + ": needed=" + needed
                + " free=" + pool.free() + " pages=" + pool.pages() + ", close a sequence");
        }
        if (copies) {
            int shared = table[pages - 1];
            table[pages - 1] = pool.take(shared + 1);
            pool.copy(shared, table[pages - 1], length % size);
            pool.release(shared);
        }
        for (long position = length; position < end;) {
            if (position == pages * size) {
                table = pages < table.length ? table : Arrays.copyOf(table, 2 * pages);
                table[pages] = pool.take(pages == 0 ? 0 : table[pages - 1] + 1);
                pages++;
            }
            long within = position % size;
            long part = Math.min(end - position, size - within);
            pool.writer.copy(k, v, position - length, pool.keys, pool.values, table[pages - 1] * size + within, part);
            position += part;
        }
        length = end;
        runs.update(table, pages, length);
    }
}
