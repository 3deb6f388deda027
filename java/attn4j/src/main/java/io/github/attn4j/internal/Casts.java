// SPDX-License-Identifier: Apache-2.0
// Native code converts matrices; what is no matrix goes through packed memory.
package io.github.attn4j.internal;

/** Conversions between the floating-point types, rounded to the nearest, ties to even. */
public final class Casts {
    private Casts() {}

    /** Converts all elements; same sizes, any strides, no shared element. */
    public static void run(View from, View to) {
        if (!from.isMatrix()) {
            throughPacked(from, from.type, packed -> {
                Memory.copy(from, packed);
                run(packed, to);
            });
        } else if (!to.isMatrix()) {
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
        Held.acquire(from, to, null, null, null);
        try {
            Status.check(Native.attn4j_cast(from.address, from.floatCode(), from.rowStride(), to.address,
                to.floatCode(), to.rowStride(), from.rows(), Math.max(1, from.width()), Isa.DEFAULT.ordinal(), 0));
        } finally {
            Held.release(from, to, null, null, null);
        }
    }
}
