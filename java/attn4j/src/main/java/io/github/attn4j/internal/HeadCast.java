// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/** Converts [batch, heads, rows, width] of any strides, without allocating. The operands have passed Check. */
public final class HeadCast {
    private static final int BATCH = 0, HEADS = 1, ROWS = 2, WIDTH = 3;

    private HeadCast() {}

    /** Converts all numbers; same sizes, no shared element. */
    public static void run(View from, View to) {
        Held.acquire(from, to, null, null, null);
        try {
            for (long b = 0; b < from.sizes[BATCH]; b++) {
                for (long h = 0; h < from.sizes[HEADS]; h++) {
                    Status.check(Native.attn4j_cast(at(from, b, h), from.floatCode(), stride(from), at(to, b, h),
                        to.floatCode(), stride(to), from.sizes[ROWS], from.sizes[WIDTH], Isa.DEFAULT.ordinal(), 0));
                }
            }
        } finally {
            Held.release(from, to, null, null, null);
        }
    }

    private static long at(View view, long b, long h) {
        return view.address + (b * view.strides[BATCH] + h * view.strides[HEADS]) * view.elementBytes();
    }

    /** That of a single row does not matter and is its width. */
    private static long stride(View view) {
        return view.sizes[ROWS] > 1 ? view.strides[ROWS] : view.sizes[WIDTH];
    }
}
