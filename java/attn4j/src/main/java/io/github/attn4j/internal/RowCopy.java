// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/**
 * Copies rows of [batch, heads, rows, width] to other rows, converting them where the types differ. Not thread-safe: it
 * keeps an array from call to call and allocates nothing. The operands have passed Check, but for the rows to be there.
 */
public final class RowCopy {
    private static final int BATCH = 0, HEADS = 1, ROWS = 2, WIDTH = 3;

    private final long[] sizes = new long[4];

    /** Copies nothing yet. */
    public RowCopy() {}

    /** Rows [fromRow, fromRow + count) of `from` to those of `to` from `toRow` on. They share no element. */
    public void run(View from, long fromRow, View to, long toRow, long count) {
        Held.acquire(from, to, null, null, null);
        try {
            long source = from.address + fromRow * from.strides[ROWS] * from.elementBytes();
            long target = to.address + toRow * to.strides[ROWS] * to.elementBytes();
            if (from.type != to.type) {
                cast(from, source, to, target, count);
                return;
            }
            sizes[BATCH] = from.sizes[BATCH];
            sizes[HEADS] = from.sizes[HEADS];
            sizes[ROWS] = count;
            sizes[WIDTH] = from.sizes[WIDTH];
            Status.check(Native.attn4j_memory_copy_strided(target, to.strides, source, from.strides, sizes, 4,
                from.elementBytes()));
        } finally {
            Held.release(from, to, null, null, null);
        }
    }

    private static void cast(View from, long source, View to, long target, long count) {
        for (long b = 0; b < from.sizes[BATCH]; b++) {
            for (long h = 0; h < from.sizes[HEADS]; h++) {
                Status.check(Native.attn4j_cast(at(from, source, b, h), from.floatCode(), stride(from, count),
                    at(to, target, b, h), to.floatCode(), stride(to, count), count, from.sizes[WIDTH],
                    Isa.DEFAULT.ordinal(), 0));
            }
        }
    }

    private static long at(View view, long address, long b, long h) {
        return address + (b * view.strides[BATCH] + h * view.strides[HEADS]) * view.elementBytes();
    }

    /** That of a single row does not matter and is its width. */
    private static long stride(View view, long rows) {
        return rows > 1 ? view.strides[ROWS] : view.sizes[WIDTH];
    }
}
