// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;

/**
 * The keys and values of many sequences of different lengths, in pages of a fixed number of tokens out of one pool, so
 * that no memory is lost to gaps between sequences or kept for tokens that may never come (PagedAttention,
 * arXiv:2309.06180). Thread-safe: changes wait for each other and for attention under way over the cache.
 *
 * <p>A page is counted by its users: {@link PagedSequence#fork} shares all pages, and what is shared is copied before
 * it is written to. Closing a sequence gives its pages back. {@link SegmentedAttention#runPaged} attends to the pages
 * where they lie.
 *
 * <p>The pool is allocated once. {@link #close} frees it, and says which sequences were not closed.
 */
public final class PagedKeyValueCache implements AutoCloseable {
    final ReadWriteLock lock = new ReentrantReadWriteLock();
    final PagePool pool;
    private final PagedAppend appending;
    private final TensorScope scope = TensorScope.open();
    private final Set<PagedSequence> sequences = new LinkedHashSet<>();

    private PagedKeyValueCache(Builder builder) {
        CacheRows rows = builder.rows();
        try {
            pool = new PagePool(scope, rows, builder.pages, builder.pageSize);
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
        appending = new PagedAppend(rows, pool);
    }

    /**
     * A builder of a cache without sequences.
     *
     * @param pages of the pool, at least 1
     * @param kvHeads heads of keys and values, at least 1
     * @param headDim numbers of a key, at least 1
     * @return the builder
     */
    public static Builder builder(int pages, long kvHeads, long headDim) {
        return new Builder(pages, kvHeads, headDim);
    }

    /**
     * A new sequence without tokens and pages.
     *
     * @param name how the leak check calls it
     * @return the sequence, to be closed
     * @throws IllegalStateException if the cache is closed
     */
    public PagedSequence add(String name) {
        Lock write = lock.writeLock();
        write.lock();
        try {
            checkOpen();
            return added(name);
        } finally {
            write.unlock();
        }
    }

    /**
     * Appends n tokens to each of some sequences, as {@link PagedSequence#append(Tensor, Tensor)} does to one.
     *
     * @param list sequences of this cache, none of them twice
     * @param k [sequences, kvHeads, n, headDim], FLOAT32, BFLOAT16 or FLOAT16; innermost stride 1
     * @param v [sequences, kvHeads, n, valueDim], likewise
     * @throws IllegalArgumentException if they do not fit; nothing was appended then
     * @throws IllegalStateException if too few pages are free, or this, a sequence or a scope is closed; nothing was
     *     appended then
     */
    public void append(List<PagedSequence> list, Tensor k, Tensor v) {
        append(list, k, v, null, null);
    }

    /**
     * Appends n tokens to each of some sequences, and turns the keys on the way, in one pass.
     *
     * @param list sequences of this cache, none of them twice
     * @param k [sequences, kvHeads, n, headDim], FLOAT32, BFLOAT16 or FLOAT16; innermost stride 1; not changed
     * @param v [sequences, kvHeads, n, valueDim], likewise
     * @param rotation null to turn nothing, or a rotary embedding
     * @param positions null for each sequence's length and those after it, or INT64 [sequences, n], or [1, n] for all
     * @throws IllegalArgumentException if they do not fit, or a position is outside the tables; nothing was appended
     *     then
     * @throws IllegalStateException if too few pages are free, or this, a sequence or a scope is closed; nothing was
     *     appended then
     */
    public void append(List<PagedSequence> list, Tensor k, Tensor v, KeyRotation rotation, Tensor positions) {
        Lock write = lock.writeLock();
        write.lock();
        try {
            checkOpen();
            appending.run(this, list, k, v, rotation, positions);
        } finally {
            write.unlock();
        }
    }

    /** {@return the pages of the pool} */
    public int pages() {
        return pool.pages();
    }

    /** {@return the tokens of a page} */
    public long pageSize() {
        return pool.pageSize;
    }

    /**
     * The pages that no sequence uses.
     *
     * @return at least 0
     */
    public int freePages() {
        Lock read = lock.readLock();
        read.lock();
        try {
            return pool.free();
        } finally {
            read.unlock();
        }
    }

    /**
     * Frees the memory. Does nothing the second time.
     *
     * @throws IllegalStateException while a call is under way; or, after freeing the memory, if sequences were not
     *     closed: the message names them, with their lengths and pages
     */
    @Override
    public void close() {
        Lock write = lock.writeLock();
        if (!write.tryLock()) {
            throw new IllegalStateException("this PagedKeyValueCache is in use: a call is under way, "
                + "close it after it");
        }
        try {
            if (!scope.isOpen()) {
                return;
            }
            scope.close();
            if (!sequences.isEmpty()) {
                String leaked = sequences.stream().map(PagedSequence::toString).collect(Collectors.joining(", "));
                throw new IllegalStateException("sequences were not closed before their PagedKeyValueCache: " + leaked
                    + "; pages used=" + (pool.pages() - pool.free()) + " of " + pool.pages());
            }
        } finally {
            write.unlock();
        }
    }

    /** A new sequence; the lock is held. */
    PagedSequence added(String name) {
        PagedSequence sequence = new PagedSequence(this, name);
        sequences.add(sequence);
        return sequence;
    }

    /** The sequence was closed; the lock is held. */
    void remove(PagedSequence sequence) {
        sequences.remove(sequence);
    }

    void checkOpen() {
        if (!scope.isOpen()) {
            throw new IllegalStateException("this PagedKeyValueCache is closed");
        }
    }

    /** Options of a paged cache. */
    public static final class Builder extends CacheBuilder<Builder> {
        private final int pages;
        private long pageSize = 16;

        private Builder(int pages, long kvHeads, long headDim) {
            super(kvHeads, headDim);
            Check.atLeast(1, pages, "pages");
            this.pages = pages;
        }

        /**
         * The tokens of a page, 16 by default.
         *
         * @param tokens at least 1
         * @return this
         */
        public Builder pageSize(long tokens) {
            pageSize = Check.atLeast(1, tokens, "pageSize");
            return this;
        }

        /**
         * Makes the cache, with the memory of all pages.
         *
         * @return the cache, to be closed
         * @throws IllegalArgumentException if its bytes do not fit a long
         * @throws OutOfMemoryError if there is no memory for it
         */
        public PagedKeyValueCache build() {
            if (pageSize > Long.MAX_VALUE / pages) {
                throw new IllegalArgumentException("the tokens of all pages must fit a long: pages=" + pages
                    + " pageSize=" + pageSize);
            }
            return new PagedKeyValueCache(this);
        }
    }
}
