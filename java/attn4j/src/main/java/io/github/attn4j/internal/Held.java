// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/**
 * Holds the owners of the operands for the length of a native call, all or none, without allocating. An owner that
 * follows itself is held once: operands mostly are of one scope, and each time costs two locked instructions.
 */
public final class Held {
    private Held() {}

    /** Holds them; null for none. */
    public static void acquire(View a, View b, View c, View d, View e) {
        int held = 0;
        try {
            for (; held < 5; held++) {
                Owner owner = pick(held, a, b, c, d, e);
                if (owner != null) {
                    owner.acquire();
                }
            }
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
        for (int i = 0; i < count; i++) {
            Owner owner = pick(i, a, b, c, d, e);
            if (owner != null) {
                owner.release();
            }
        }
    }

    /** Whom to hold for this operand; null for nobody. */
    private static Owner pick(int index, View a, View b, View c, View d, View e) {
        switch (index) {
            case 0:
                return other(a, null);
            case 1:
                return other(b, a);
            case 2:
                return other(c, b);
            case 3:
                return other(d, c);
            default:
                return other(e, d);
        }
    }

    private static Owner other(View view, View before) {
        return view == null || before != null && before.owner == view.owner ? null : view.owner;
    }
}
