// SPDX-License-Identifier: Apache-2.0
// As in Check: every message gives the rule and both values, and nothing allocates unless it throws.
package io.github.attn4j.internal;

/** The rules for where the sequences of a ragged batch begin: INT64 [sequences + 1]. */
public final class CumulativeLengths {
    private CumulativeLengths() {}

    /**
     * The last cumulative length is within the rows there are; its owner is acquired. Native code checks the ones
     * before it, which it has to walk anyway.
     */
    static void total(View cu, String name, long rows, String rowsName) {
        long last = cu.sizes[0] - 1;
        long total = Native.longAt(cu.address + last * Long.BYTES);
        if (total > rows) {
            throw new IllegalArgumentException(name + "[" + last + "] must be at most " + rowsName + ": " + name + "["
                + last + "]=" + total + " " + rowsName + "=" + rows);
        }
    }

    /**
     * Of no sequence are there more keys than its pages have room for; the owner of the cumulative lengths is acquired.
     */
    static void lengths(View cu, String name, long most) {
        for (long b = 1; b < cu.sizes[0]; b++) {
            long length = Native.longAt(cu.address + b * Long.BYTES) - Native.longAt(cu.address + (b - 1) * Long.BYTES);
            if (length > most) {
                throw new IllegalArgumentException("no length of " + name
                    + " may exceed pages.size(1) * pageSize: length[" + (b - 1) + "]=" + length
                    + " pages.size(1) * pageSize=" + most);
            }
        }
    }

    /** Cumulative lengths, one or more, that begin with 0, never decrease and stay within the rows there are. */
    public static void ofRows(View cu, String name, long rows, String rowsName) {
        cu.owner.acquire();
        try {
            increasing(cu, name);
            total(cu, name, rows, rowsName);
        } finally {
            cu.owner.release();
        }
    }

    /** The same of keys that lie in pages, which have room for so many of each sequence. */
    public static void ofPages(View cu, String name, long most) {
        cu.owner.acquire();
        try {
            increasing(cu, name);
            lengths(cu, name, most);
        } finally {
            cu.owner.release();
        }
    }

    private static void increasing(View cu, String name) {
        long before = Native.longAt(cu.address);
        if (before != 0) {
            throw new IllegalArgumentException(name + " must begin with 0: " + name + "[0]=" + before);
        }
        for (long b = 1; b < cu.sizes[0]; b++) {
            long now = Native.longAt(cu.address + b * Long.BYTES);
            if (now < before) {
                throw new IllegalArgumentException(name + " must not decrease: " + name + "[" + (b - 1) + "]="
                    + before + " " + name + "[" + b + "]=" + now);
            }
            before = now;
        }
    }
}
