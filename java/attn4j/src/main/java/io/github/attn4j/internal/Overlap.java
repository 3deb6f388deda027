// SPDX-License-Identifier: Apache-2.0
// Decided by address ranges, as native code does: views that interleave without sharing an element count as
// overlapping.
package io.github.attn4j.internal;

/** Whether two views share memory. */
final class Overlap {
    private Overlap() {}

    /** False only if no element is shared. */
    static boolean possible(View a, View b) {
        return a.end > b.address && b.end > a.address && a.end > a.address && b.end > b.address;
    }

    /** The same elements in the same order. */
    static boolean same(View a, View b) {
        if (a.address != b.address || a.type != b.type || a.rank() != b.rank()) {
            return false;
        }
        for (int i = 0; i < a.rank(); i++) {
            if (a.sizes[i] != b.sizes[i] || a.sizes[i] > 1 && a.strides[i] != b.strides[i]) {
                return false;
            }
        }
        return true;
    }

    static String range(String name, View view) {
        return name + "=[0x" + Long.toHexString(view.address) + ", 0x" + Long.toHexString(view.end) + ")";
    }
}
