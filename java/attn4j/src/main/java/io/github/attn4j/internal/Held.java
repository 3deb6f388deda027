// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/**
 * Holds the owners of the operands for the length of a native call, all or none, without allocating. An owner that
 * follows itself is held once: operands mostly are of one scope, and each time costs two locked instructions.
 */
public final class Held {
    private Held() {}

    /** Holds them; null for none. Written out, as the JIT leaves a loop over them as it is: 50 ns of a small call. */
    public static void acquire(View a, View b, View c, View d, View e) {
        int held = 0;
        try {
            acquire(a, null);
            held = 1;
            acquire(b, a);
            held = 2;
            acquire(c, b);
            held = 3;
            acquire(d, c);
            held = 4;
            acquire(e, d);
            held = 5;
        } finally {
            if (held < 5) {
                releaseFirst(held, a, b, c, d, e);
            }
        }
    }

    /** Ends what {@link #acquire} began. */
    public static void release(View a, View b, View c, View d, View e) {
        releaseFirst(5, a, b, c, d, e);
    }

    private static void releaseFirst(int count, View a, View b, View c, View d, View e) {
        if (count > 0) {
            release(a, null);
        }
        if (count > 1) {
            release(b, a);
        }
        if (count > 2) {
            release(c, b);
        }
        if (count > 3) {
            release(d, c);
        }
        if (count > 4) {
            release(e, d);
        }
    }

    private static void acquire(View view, View before) {
        Owner owner = other(view, before);
        if (owner != null) {
            owner.acquire();
        }
    }

    private static void release(View view, View before) {
        Owner owner = other(view, before);
        if (owner != null) {
            owner.release();
        }
    }

    /** Whom to hold for a view that follows another; null for nobody. */
    private static Owner other(View view, View before) {
        return view == null || before != null && before.owner == view.owner ? null : view.owner;
    }
}
