// SPDX-License-Identifier: Apache-2.0
// The arguments have passed Check, and what is read is held; a row's scale is where the cache has scales.
package io.github.attn4j.internal;

/**
 * Stores rows of keys or values in a cache, rounded or quantised to its type; keys may be turned by their positions on
 * the way. Not thread-safe: it keeps the tables of the append under way, and allocates nothing.
 */
public final class RowAppend {
    private static final int BATCH = 0, HEADS = 1, ROWS = 2, WIDTH = 3;

    private final Isa isa;
    private final int threads;
    private View cos;
    private View sin;
    private View ids;
    private int layout;

    /** Rows of this instruction set and at most so many threads. */
    public RowAppend(Isa isa, int threads) {
        this.isa = isa;
        this.threads = threads;
    }

    /** The tables of the keys to come, null for none, and their positions, null where they follow each other. */
    public void turning(View cosines, View sines, boolean interleaved, View positionIds) {
        cos = cosines;
        sin = sines;
        ids = positionIds;
        layout = interleaved ? Native.ATTN4J_ROTARY_PAIRS : Native.ATTN4J_ROTARY_HALVES;
    }

    /**
     * Keys from row `from` on of `entries` entries of x, to the rows from `row` on of as many of the cache's; the first
     * of them is at this position. scales is null where the cache has none.
     */
    public void keys(View x, long entry, long entries, long from, View cache, View scales, long block, long row,
                     long count, long position) {
        if (cos == null) {
            values(x, entry, entries, from, cache, scales, block, row, count);
            return;
        }
        long stride = Rotary.stride(cos);
        long skipped = ids == null ? position : 0;
        long idStride = ids == null || ids.sizes[0] == 1 ? 0 : ids.strides[0];
        long positions = ids == null ? 0 : ids.address + (entry * idStride + from) * Long.BYTES;
        run(x, entry, entries, from, cache, scales, block, row, count, 2 * cos.sizes[1],
            cos.address + skipped * stride * Float.BYTES, sin.address + skipped * stride * Float.BYTES,
            cos.sizes[0] - skipped, stride, positions, idStride);
    }

    /** Values, likewise; they are never turned. */
    public void values(View x, long entry, long entries, long from, View cache, View scales, long block, long row,
                       long count) {
        run(x, entry, entries, from, cache, scales, block, row, count, 0, 0, 0, 0, 0, 0, 0);
    }

    private void run(View x, long entry, long entries, long from, View cache, View scales, long block, long row,
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
