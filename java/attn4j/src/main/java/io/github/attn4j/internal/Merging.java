// SPDX-License-Identifier: Apache-2.0
// Calls attn4j_merge, which takes rows that are one stride apart: all rows at once where every operand has such a
// stride, else those of one batch entry and head at a time.
package io.github.attn4j.internal;

/**
 * Merging of partial results [batch, heads, queries, valueDim] with any strides. Not thread-safe: it keeps the arrays
 * of addresses from call to call, so that only the first with more partial results allocates.
 */
public final class Merging {
    private static final int BATCH = 0, HEADS = 1, QUERIES = 2, WIDTH = 3;

    private final Isa isa;
    private final int threads;
    private long[] outs = new long[0];
    private long[] strides = outs;
    private long[] lses = outs;

    /** Merging on an instruction set, by so many threads. */
    public Merging(Isa isa, int threads) {
        this.isa = isa;
        this.threads = threads;
    }

    /**
     * Merges the first `count` of the partial results. The operands have passed Check; sinks and lse may be null, out
     * may be outs[0], and lse lses[0].
     */
    public void run(View[] partialOuts, View[] partialLses, int count, View sinks, View out, View lse) {
        if (outs.length < count) {
            outs = new long[count];
            strides = new long[count];
            lses = new long[count];
        }
        int held = 0;
        Held.acquire(sinks, out, lse, null, null);
        try {
            for (; held < count; held++) {
                Held.acquire(partialOuts[held], partialLses[held], null, null, null);
            }
            merge(partialOuts, partialLses, count, sinks, out, lse);
        } finally {
            while (held > 0) {
                held--;
                Held.release(partialOuts[held], partialLses[held], null, null, null);
            }
            Held.release(sinks, out, lse, null, null);
        }
    }

    private void merge(View[] partialOuts, View[] partialLses, int count, View sinks, View out, View lse) {
        long heads = out.sizes[HEADS];
        long queries = out.sizes[QUERIES];
        boolean even = rowStride(out) >= 0;
        for (int p = 0; p < count && even; p++) {
            even = rowStride(partialOuts[p]) >= 0;
        }
        if (even) {
            for (int p = 0; p < count; p++) {
                outs[p] = partialOuts[p].address;
                strides[p] = rowStride(partialOuts[p]);
                lses[p] = partialLses[p].address;
            }
            call(count, address(sinks), heads, queries, out.address, rowStride(out), address(lse),
                out.sizes[BATCH] * heads * queries, out.sizes[WIDTH]);
            return;
        }
        for (long b = 0; b < out.sizes[BATCH]; b++) {
            for (long h = 0; h < heads; h++) {
                long row = (b * heads + h) * queries * Float.BYTES;
                for (int p = 0; p < count; p++) {
                    outs[p] = at(partialOuts[p], b, h);
                    strides[p] = headStride(partialOuts[p]);
                    lses[p] = partialLses[p].address + row;
                }
                call(count, sinks == null ? 0 : sinks.address + h * Float.BYTES, 1, queries, at(out, b, h),
                    headStride(out), lse == null ? 0 : lse.address + row, queries, out.sizes[WIDTH]);
            }
        }
    }

    private void call(int count, long sinks, long heads, long queries, long out, long outStride, long lse, long rows,
                      long width) {
        if (rows > 0) {
            Status.check(Native.attn4j_merge(outs, strides, lses, count, sinks, heads, queries, out, outStride, lse,
                rows, width, isa.ordinal(), threads));
        }
    }

    /** The one distance between rows in the order [batch, heads, queries], -1 if there is no such. */
    private static long rowStride(View view) {
        long stride = -1;
        long rows = 1;
        for (int d = QUERIES; d >= BATCH; d--) {
            if (view.sizes[d] == 1) {
                continue;
            }
            if (stride < 0) {
                stride = view.strides[d];
            } else if (view.strides[d] != stride * rows) {
                return -1;
            }
            rows *= view.sizes[d];
        }
        return stride < 0 ? view.sizes[WIDTH] : stride;
    }

    private static long headStride(View view) {
        return view.sizes[QUERIES] > 1 ? view.strides[QUERIES] : view.sizes[WIDTH];
    }

    private static long at(View view, long b, long h) {
        return view.address + (b * view.strides[BATCH] + h * view.strides[HEADS]) * view.elementBytes();
    }

    private static long address(View view) {
        return view == null ? 0 : view.address;
    }
}
