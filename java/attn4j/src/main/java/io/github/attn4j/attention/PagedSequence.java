// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.Lock;

/**
 * A sequence of a {@link PagedKeyValueCache}: a table of its pages. Thread-safe: changes to a cache's sequences wait
 * for each other and for attention under way. To be closed, which gives its pages back.
 */
public final class PagedSequence implements AutoCloseable {
    private final PagedKeyValueCache cache;
    private final String name;
    private final List<PagedSequence> alone = List.of(this);
    private long[] table = new long[4];
    private int pages;
    private long length;
    private boolean closed;
    /** Of the append under way: its place in the list, and whether the last page is copied. */
    int listed;
    boolean copies;

    PagedSequence(PagedKeyValueCache cache, String name) {
        this.cache = cache;
        this.name = Objects.requireNonNull(name, "name must not be null");
    }

    /** {@return the cache it belongs to} */
    public PagedKeyValueCache cache() {
        return cache;
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
     * Appends the keys and values of n tokens, which are copied, rounded to the cache's type. A last page that is
     * shared with a fork is copied before it is written to.
     *
     * @param k [1, kvHeads, n, headDim], FLOAT32, BFLOAT16 or FLOAT16; innermost stride 1
     * @param v [1, kvHeads, n, valueDim], likewise
     * @throws IllegalArgumentException if they do not fit; nothing was appended then
     * @throws IllegalStateException if too few pages are free, or this, the cache or a scope is closed; nothing was
     *     appended then
     */
    public void append(Tensor k, Tensor v) {
        append(k, v, null, null);
    }

    /**
     * Appends the keys and values of n tokens, and turns the keys on the way, in one pass.
     *
     * @param k [1, kvHeads, n, headDim], FLOAT32, BFLOAT16 or FLOAT16; innermost stride 1; not changed
     * @param v [1, kvHeads, n, valueDim], likewise
     * @param rotation null to turn nothing, or a rotary embedding
     * @param positions null for {@link #length()} and those after it, or INT64 [1, n]
     * @throws IllegalArgumentException if they do not fit, or a position is outside the tables; nothing was appended
     *     then
     * @throws IllegalStateException if too few pages are free, or this, the cache or a scope is closed; nothing was
     *     appended then
     */
    public void append(Tensor k, Tensor v, KeyRotation rotation, Tensor positions) {
        cache.append(alone, k, v, rotation, positions);
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
            for (int i = 0; i < pages; i++) {
                cache.pool.share(table[i]);
            }
            return fork;
        } finally {
            write.unlock();
        }
    }

    /**
     * Forgets all tokens and gives its pages back, those that no fork uses; positions begin at 0 again.
     *
     * @throws IllegalStateException if this or the cache is closed
     */
    public void clear() {
        Lock write = cache.lock.writeLock();
        write.lock();
        try {
            checkOpen();
            releasePages();
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
            if (!closed) {
                closed = true;
                releasePages();
                cache.remove(this);
            }
        } finally {
            write.unlock();
        }
    }

    private void releasePages() {
        while (pages > 0) {
            cache.pool.release(table[--pages]);
        }
        length = 0;
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

    /** How many tokens it has; the lock is held. */
    long tokens() {
        return length;
    }

    /** Its pages are the first ones of this; the lock is held. */
    long[] table() {
        return table;
    }

    /** How many of the table's are pages; the lock is held. */
    int tablePages() {
        return pages;
    }

    long lastPage() {
        return table[pages - 1];
    }

    /** The pages that so many more tokens take; the last one is copied before it is written to if others use it. */
    long needs(long tokens) {
        long size = cache.pool.pageSize;
        copies = tokens > 0 && length % size > 0 && cache.pool.isShared(lastPage());
        return (length + tokens + size - 1) / size - pages + (copies ? 1 : 0);
    }

    /** Appends the rows of an entry; there are as many free pages as it needs. */
    void append(RowWriter writer, long entry, long tokens) {
        PagePool pool = cache.pool;
        long size = pool.pageSize;
        long end = length + tokens;
        if (copies) {
            long shared = lastPage();
            table[pages - 1] = pool.take();
            pool.copy(shared, lastPage());
            pool.release(shared);
        }
        for (long position = length; position < end;) {
            if (position == pages * size) {
                table = pages < table.length ? table : Arrays.copyOf(table, 2 * pages);
                table[pages++] = pool.take();
            }
            long within = position % size;
            long part = Math.min(end - position, size - within);
            writer.write(entry, 1, position - length, pool.rows, lastPage(), within, part, position);
            position += part;
        }
        length = end;
    }
}
