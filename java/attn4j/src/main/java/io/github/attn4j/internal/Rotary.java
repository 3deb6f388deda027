// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/** The native calls of rotary position embedding. */
public final class Rotary {
    /** Scalings of attn4j/rotary.h. */
    public static final int UNSCALED = 0, LINEAR = 1, NTK = 2, YARN = 3, LLAMA3 = 4, YARN_UNROUNDED = 5;

    private Rotary() {}

    /** Cosines and sines of one shape, [positions, rotaryDim / 2], and of the same strides. */
    public static void checkTables(View cos, View sin) {
        Check.atLeast(1, cos.sizes[1], "cos.size(1)");
        Check.size(sin, "sin", 0, cos.sizes[0], "cos.size(0)");
        Check.size(sin, "sin", 1, cos.sizes[1], "cos.size(1)");
        if (cos.sizes[0] > 1 && cos.strides[0] != sin.strides[0]) {
            throw new IllegalArgumentException("cos and sin must have the same strides: cos.stride(0)="
                + cos.strides[0] + " sin.stride(0)=" + sin.strides[0]);
        }
    }

    /** A row is at least as wide as what is turned of it. */
    public static void checkWidth(View cos, long headDim) {
        if (2 * cos.sizes[1] > headDim) {
            throw new IllegalArgumentException("rotaryDim, twice the width of the tables, must be at most headDim: "
                + "rotaryDim=" + 2 * cos.sizes[1] + " headDim=" + headDim);
        }
    }

    /** The distance of a table's rows; that of a single row does not matter and is its width. */
    static long stride(View cos) {
        return cos.sizes[0] > 1 ? cos.strides[0] : Math.max(1, cos.sizes[1]);
    }

    /**
     * Turns [batch, heads, rows, headDim]; the arguments have passed Check. Positions are ids [batch or 1, rows]; or,
     * if that is null, starts[b] + row; or, if that is null too, start + row, which is within the tables.
     */
    public static void run(View x, View out, int layout, View cos, View sin, long start, View ids, View starts, Isa isa,
                           int threads) {
        long stride = stride(cos);
        long skipped = start * stride * Float.BYTES;
        Held.acquire(x, out, cos, sin, ids == null ? starts : ids);
        try {
            Status.check(Native.attn4j_rotary(x.address, x.strides[0], x.strides[1], x.strides[2], out.address,
                out.strides[0], out.strides[1], out.strides[2], x.floatCode(), x.sizes[0], x.sizes[1], x.sizes[2],
                x.sizes[3], 2 * cos.sizes[1], layout, cos.address + skipped, sin.address + skipped,
                cos.sizes[0] - start, stride, ids == null ? 0 : ids.address,
                ids == null || ids.sizes[0] == 1 ? 0 : ids.strides[0], starts == null ? 0 : starts.address,
                isa.ordinal(), threads));
        } finally {
            Held.release(x, out, cos, sin, ids == null ? starts : ids);
        }
    }

    /** Fills two contiguous tables [positions, rotaryDim / 2]. */
    public static void tables(View cos, View sin, long firstPosition, double base, int scaling, double factor,
                              long originalPositions, double lowRotations, double highRotations,
                              double attentionFactor) {
        Held.acquire(cos, sin, null, null, null);
        try {
            Status.check(Native.attn4j_rotary_tables(cos.address, sin.address, cos.sizes[1], firstPosition,
                cos.sizes[0], 2 * cos.sizes[1], base, scaling, factor, originalPositions, lowRotations, highRotations,
                attentionFactor, 0));
        } finally {
            Held.release(cos, sin, null, null, null);
        }
    }
}
