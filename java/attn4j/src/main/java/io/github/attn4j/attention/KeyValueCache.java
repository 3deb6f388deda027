// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The keys and values of all tokens so far, of a batch whose entries have the same number of them. Thread-safe:
 * appending waits for attention under way over this cache and the other way round.
 *
 * <p>It grows by chunks, each as large as all before it together, and never copies what is there. Or it is a ring, for
 * attention with a sliding window: it has room for a fixed number of keys and overwrites the oldest. A window of
 * {@code window(left, 0)} over n queries at once needs a ring of {@code left + n}; where one reaches back to keys that
 * are gone, the call is refused. Attention without a window to the left sees all that the ring still holds.
 *
 * <p>{@link SegmentedAttention} attends to it. Its memory is freed by {@link #close}, or some time after it is
 * forgotten.
 */
public final class KeyValueCache implements AutoCloseable {
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final TensorScope scope = TensorScope.open();
    private final long batch;
    private final RowWriter writer;
    private final CacheStorage storage;

    private KeyValueCache(Builder builder) {
        batch = builder.batch;
        CacheRows rows = builder.rows();
        writer = new RowWriter(rows);
        try {
            storage = builder.ring > 0 ? new RingStorage(scope, rows, batch, builder.ring)
                : new ChunkStorage(scope, rows, batch, builder.chunk);
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    /**
     * A builder of an empty cache.
     *
     * @param batch entries, at least 0
     * @param kvHeads heads of keys and values, at least 1
     * @param headDim numbers of a key, at least 1
     * @return the builder
     */
    public static Builder builder(long batch, long kvHeads, long headDim) {
        return new Builder(batch, kvHeads, headDim);
    }

    /**
     * The number of tokens appended so far, which is the position of the next. A ring holds the last of them.
     *
     * @return at least 0
     */
    public long length() {
        Lock read = lock.readLock();
        read.lock();
        try {
            return storage.length();
        } finally {
            read.unlock();
        }
    }

    /**
     * The position of the oldest token that is still there.
     *
     * @return 0, or in a ring that has been filled length - capacity
     */
    public long first() {
        Lock read = lock.readLock();
        read.lock();
        try {
            return storage.begin();
        } finally {
            read.unlock();
        }
    }

    /**
     * The most tokens it holds at once.
     *
     * @return those of a ring, else Long.MAX_VALUE
     */
    public long capacity() {
        return storage.capacity();
    }

    /**
     * Appends the keys and values of n tokens, which are copied, rounded to the cache's type.
     *
     * @param k [batch, kvHeads, n, headDim], FLOAT32, BFLOAT16 or FLOAT16; innermost stride 1
     * @param v [batch, kvHeads, n, valueDim], likewise
     * @throws IllegalArgumentException if they do not fit; nothing was appended then
     * @throws IllegalStateException if the cache or a scope is closed
     * @throws OutOfMemoryError if there is no memory to grow; nothing was appended then
     */
    public void append(Tensor k, Tensor v) {
        append(k, v, null, null);
    }

    /**
     * Appends the keys and values of n tokens, and turns the keys on the way, in one pass.
     *
     * @param k [batch, kvHeads, n, headDim], FLOAT32, BFLOAT16 or FLOAT16; innermost stride 1; not changed
     * @param v [batch, kvHeads, n, valueDim], likewise
     * @param rotation null to turn nothing, or a rotary embedding
     * @param positions null for {@link #length()} and those after it, or INT64 [batch, n], or [1, n] for all entries
     * @throws IllegalArgumentException if they do not fit, or a position is outside the tables; nothing was appended
     *     then
     * @throws IllegalStateException if the cache or a scope is closed
     * @throws OutOfMemoryError if there is no memory to grow; nothing was appended then
     */
    public void append(Tensor k, Tensor v, KeyRotation rotation, Tensor positions) {
        Lock write = lock.writeLock();
        write.lock();
        try {
            checkOpen();
            long count = writer.begin(k, v, batch, "batch", rotation, positions);
            try {
                writer.checkPositions(storage.length());
                storage.append(writer, count);
            } finally {
                writer.end();
            }
        } finally {
            write.unlock();
        }
    }

    /**
     * Forgets all tokens and keeps the memory for the next; positions begin at 0 again.
     *
     * @throws IllegalStateException if the cache is closed
     */
    public void clear() {
        Lock write = lock.writeLock();
        write.lock();
        try {
            checkOpen();
            storage.clear();
        } finally {
            write.unlock();
        }
    }

    /**
     * Frees the memory. Does nothing the second time.
     *
     * @throws IllegalStateException while a call is under way
     */
    @Override
    public void close() {
        Lock write = lock.writeLock();
        if (!write.tryLock()) {
            throw new IllegalStateException("this KeyValueCache is in use: a call is under way, close it after it");
        }
        try {
            scope.close();
        } finally {
            write.unlock();
        }
    }

    /** What it holds; nothing is appended until {@link #endRead}. */
    CacheStorage beginRead() {
        lock.readLock().lock();
        boolean open = false;
        try {
            checkOpen();
            open = true;
        } finally {
            if (!open) {
                endRead();
            }
        }
        return storage;
    }

    /** Ends a read. */
    void endRead() {
        lock.readLock().unlock();
    }

    private void checkOpen() {
        if (!scope.isOpen()) {
            throw new IllegalStateException("this KeyValueCache is closed");
        }
    }

    /** Options of a cache. */
    public static final class Builder extends CacheBuilder<Builder> {
        private final long batch;
        private long chunk = 256;
        private long ring;

        private Builder(long batch, long kvHeads, long headDim) {
            super(kvHeads, headDim);
            this.batch = Check.atLeast(0, batch, "batch");
        }

        /**
         * The tokens of the first chunk, and the least of any other, 256 by default. A cache that will hold about so
         * many is best off with one chunk.
         *
         * @param tokens at least 1
         * @return this
         */
        public Builder chunk(long tokens) {
            chunk = Check.atLeast(1, tokens, "chunk");
            return this;
        }

        /**
         * Makes it a ring instead of growing.
         *
         * @param tokens how many it holds, at least 1
         * @return this
         */
        public Builder ring(long tokens) {
            ring = Check.atLeast(1, tokens, "ring");
            return this;
        }

        /**
         * Makes the cache; a ring takes all of its memory now.
         *
         * @return the cache, to be closed
         * @throws OutOfMemoryError if there is no memory for it
         */
        public KeyValueCache build() {
            return new KeyValueCache(this);
        }
    }
}
