// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/** Holds the owners of the operands for the length of a native call, all or none, without allocating. */
final class Held {
    private Held() {}

    static void acquire(View a, View b, View c, View d, View e) {
        int held = 0;
        try {
            for (; held < 5; held++) {
                View view = pick(held, a, b, c, d, e);
                if (view != null) {
                    view.owner.acquire();
                }
            }
        } finally {
            if (held < 5) {
                releaseFirst(held, a, b, c, d, e);
            }
        }
    }

    static void release(View a, View b, View c, View d, View e) {
        releaseFirst(5, a, b, c, d, e);
    }

    private static void releaseFirst(int count, View a, View b, View c, View d, View e) {
        for (int i = 0; i < count; i++) {
            View view = pick(i, a, b, c, d, e);
            if (view != null) {
                view.owner.release();
            }
        }
    }

    private static View pick(int index, View a, View b, View c, View d, View e) {
        switch (index) {
            case 0:
                return a;
            case 1:
                return b;
            case 2:
                return c;
            case 3:
                return d;
            default:
                return e;
        }
    }
}
