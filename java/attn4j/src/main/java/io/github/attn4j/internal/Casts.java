// SPDX-License-Identifier: Apache-2.0
// Native code converts matrices; what is no matrix goes through packed memory.
package io.github.attn4j.internal;

/** Conversions between the floating-point types, rounded to the nearest, ties to even. */
public final class Casts {
    private Casts() {}

    /** Converts all elements; same sizes, any strides, no shared element. */
    public static void run(View from, View to) {
        if (!isMatrix(from)) {
            throughPacked(from, from.type, packed -> {
                Memory.copy(from, packed);
                run(packed, to);
            });
        } else if (!isMatrix(to)) {
            throughPacked(to, to.type, packed -> {
                run(from, packed);
                Memory.copy(packed, to);
            });
        } else {
            matrices(from, to);
        }
    }

    /** Converts a Java array of exactly the view's elements. */
    public static void fromFloats(float[] values, View to) {
        throughPacked(to, View.FLOAT32, packed -> {
            Memory.fromArray(values, packed);
            run(packed, to);
        });
    }

    /** Converts to a Java array of exactly the view's elements. */
    public static void toFloats(View from, float[] values) {
        throughPacked(from, View.FLOAT32, packed -> {
            run(from, packed);
            Memory.toArray(packed, values);
        });
    }

    private interface Body {
        void run(View packed);
    }

    private static void throughPacked(View like, int type, Body body) {
        Blocks blocks = new Blocks();
        try {
            body.run(Memory.packed(like, type, blocks));
        } finally {
            blocks.run();
        }
    }

    private static void matrices(View from, View to) {
        int last = from.rank() - 1;
        long width = last < 0 ? 1 : Math.max(1, from.sizes[last]);
        long rows = from.elements() / width;
        Held.acquire(from, to, null, null, null);
        try {
            Status.check(Native.attn4j_cast(from.address, from.floatCode(), rowStride(from, width), to.address,
                to.floatCode(), rowStride(to, width), rows, width, Isa.DEFAULT.ordinal(), 0));
        } finally {
            Held.release(from, to, null, null, null);
        }
    }

    /** Whether the innermost stride is 1 and the other dimensions are one of rows at equal distances. */
    private static boolean isMatrix(View view) {
        int last = view.rank() - 1;
        if (view.elements() == 0 || last < 0) {
            return true;
        }
        if (view.sizes[last] > 1 && view.strides[last] != 1) {
            return false;
        }
        long expected = -1;
        for (int d = last - 1; d >= 0; d--) {
            if (view.sizes[d] > 1) {
                if (expected >= 0 && view.strides[d] != expected) {
                    return false;
                }
                expected = view.strides[d] * view.sizes[d];
            }
        }
        return true;
    }

    private static long rowStride(View matrix, long width) {
        for (int d = matrix.rank() - 2; d >= 0; d--) {
            if (matrix.sizes[d] > 1) {
                return matrix.strides[d];
            }
        }
        return width;
    }
}
