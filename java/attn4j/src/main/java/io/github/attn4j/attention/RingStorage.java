// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** A fixed number of rows, of which the newest overwrites the oldest: position p is in row p modulo the capacity. */
final class RingStorage implements CacheStorage {
    private final RowWriter writer = new RowWriter();
    private final Tensor keys;
    private final Tensor values;
    private final long capacity;
    private long length;

    RingStorage(TensorScope scope, CacheRows rows, long capacity) {
        keys = rows.keys(scope, capacity);
        values = rows.values(scope, capacity);
        this.capacity = capacity;
    }

    @Override
    public void append(Tensor k, Tensor v, long count) {
        long end = length + count;
        // Of more than fit, the first would be overwritten at once.
        for (long position = Math.max(length, end - capacity); position < end;) {
            long row = position % capacity;
            long part = Math.min(end - position, capacity - row);
            writer.copy(k, v, position - length, keys, values, row, part);
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
    public Tensor k(int run) {
        return keys;
    }

    @Override
    public Tensor v(int run) {
        return values;
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
