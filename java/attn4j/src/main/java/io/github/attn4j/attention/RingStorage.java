// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.TensorScope;

/** A fixed number of rows, of which the newest overwrites the oldest: position p is in row p modulo the capacity. */
final class RingStorage implements CacheStorage {
    private final KeyValues rows;
    private final long batch;
    private final long capacity;
    private long length;

    RingStorage(TensorScope scope, CacheRows rows, long batch, long capacity) {
        this.rows = rows.storage(scope, batch, capacity);
        this.batch = batch;
        this.capacity = capacity;
    }

    @Override
    public void append(RowWriter writer, long count) {
        long end = length + count;
        // Of more than fit, the first would be overwritten at once.
        for (long position = Math.max(length, end - capacity); position < end;) {
            long row = position % capacity;
            long part = Math.min(end - position, capacity - row);
            writer.write(0, batch, position - length, rows, 0, row, part, position);
            position += part;
        }
        length = end;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public long begin() {
        return Math.max(0, length - capacity);
    }

    @Override
    public long capacity() {
        return capacity;
    }

    @Override
    public void clear() {
        length = 0;
    }

    /** From the oldest row to the end of the memory, and from its beginning on. */
    @Override
    public int count() {
        return 2;
    }

    @Override
    public KeyValues rows(int run) {
        return rows;
    }

    @Override
    public long first(int run) {
        return run == 0 ? begin() % capacity : 0;
    }

    @Override
    public long length(int run) {
        long older = Math.min(length - begin(), capacity - first(0));
        return run == 0 ? older : length - begin() - older;
    }

    @Override
    public long position(int run) {
        return run == 0 ? begin() : begin() + length(0);
    }
}
