// SPDX-License-Identifier: Apache-2.0
// The arguments have passed Check; a row's scale is where the cache has scales.
package io.github.attn4j.internal;

/**
 * Stores rows of keys and values in a cache, rounded or quantised to its type; keys may be turned by their positions on
 * the way. Not thread-safe: it keeps the operands of the append under way, and allocates nothing.
 */
public final class RowAppend {
    private static final int BATCH = 0, HEADS = 1, ROWS = 2, WIDTH = 3;

    private final Isa isa;
    private final int threads;
    private View k;
    private View v;
    private View cos;
    private View sin;
    private View ids;
    private int layout;

    /** Rows of this instruction set and at most so many threads. */
    public RowAppend(Isa isa, int threads) {
        this.isa = isa;
        this.threads = threads;
    }

    /**
     * Holds what is appended until {@link #end}: keys and values, the tables that keys are turned by, null for none,
     * and the positions of the keys, null where they follow each other.
     */
    public void begin(View keys, View values, View cosines, View sines, boolean interleaved, View positionIds) {
        Held.acquire(keys, values, cosines, sines, positionIds);
        operands(keys, values, cosines, sines, positionIds);
        layout = interleaved ? Native.ATTN4J_ROTARY_PAIRS : Native.ATTN4J_ROTARY_HALVES;
    }

    /** Ends what {@link #begin} began; nothing of it is kept. */
    public void end() {
        Held.release(k, v, cos, sin, ids);
        operands(null, null, null, null, null);
    }

    private void operands(View keys, View values, View cosines, View sines, View positionIds) {
        k = keys;
        v = values;
        cos = cosines;
        sin = sines;
        ids = positionIds;
    }

    /** Refuses positions outside the tables; without position ids the rows of an entry follow `start`. */
    public void checkPositions(long start) {
        if (ids != null) {
            Check.positions(ids, cos.size(0));
        } else if (cos != null) {
            Check.positions(start, k.size(ROWS), cos.size(0));
        }
    }

    /**
     * Keys from row `from` on of `entries` entries, to the rows from `row` on of as many of the cache's blocks; the
     * first of them is at this position. scales is null where the cache has none.
     */
    public void keys(long entry, long entries, long from, View cache, View scales, long block, long row, long count,
                     long position) {
        if (cos == null) {
            store(k, entry, entries, from, cache, scales, block, row, count, 0, 0, 0, 0, 0, 0, 0);
            return;
        }
        long stride = Rotary.stride(cos);
        long skipped = ids == null ? position : 0;
        long idStride = ids == null || ids.sizes[0] == 1 ? 0 : ids.strides[0];
        long positions = ids == null ? 0 : ids.address + (entry * idStride + from) * Long.BYTES;
        store(k, entry, entries, from, cache, scales, block, row, count, 2 * cos.sizes[1],
            cos.address + skipped * stride * Float.BYTES, sin.address + skipped * stride * Float.BYTES,
            cos.sizes[0] - skipped, stride, positions, idStride);
    }

    /** Values, likewise; they are never turned. */
    public void values(long entry, long entries, long from, View cache, View scales, long block, long row, long count) {
        store(v, entry, entries, from, cache, scales, block, row, count, 0, 0, 0, 0, 0, 0, 0);
    }

    private void store(View x, long entry, long entries, long from, View cache, View scales, long block, long row,
                       long count, long rotaryDim, long cosines, long sines, long positions, long tableStride,
                       long positionIds, long idStride) {
        long source = x.address + (entry * x.strides[BATCH] + from * x.strides[ROWS]) * x.elementBytes();
        long target = cache.address + (block * cache.strides[BATCH] + row * cache.strides[ROWS]) * cache.elementBytes();
        long scale = scales == null ? 0 : scales.address + (block * scales.strides[BATCH] + row) * Float.BYTES;
        Status.check(Native.attn4j_append(source, x.strides[BATCH], x.strides[HEADS], x.strides[ROWS], x.floatCode(),
            target, cache.strides[BATCH], cache.strides[HEADS], cache.strides[ROWS], cache.dtypeCode(), scale,
            scales == null ? 0 : scales.strides[BATCH], scales == null ? 0 : scales.strides[HEADS], entries,
            x.sizes[HEADS], count, x.sizes[WIDTH], rotaryDim, layout, cosines, sines, positions, tableStride,
            positionIds, idStride, 0, isa.ordinal(), threads));
    }
}
