// SPDX-License-Identifier: Apache-2.0
// Decided by address ranges, as native code does: views that interleave without sharing an element count as
// overlapping.
package io.github.attn4j.internal;

/** Whether two views share memory. */
final class Overlap {
    private Overlap() {}

    /** False only if no element is shared. */
    static boolean possible(View a, View b) {
        return a.elements() > 0 && b.elements() > 0 && end(a) > b.address && end(b) > a.address;
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
        return name + "=[0x" + Long.toHexString(view.address) + ", 0x" + Long.toHexString(end(view)) + ")";
    }

    /** One past the last byte of a view that has elements. */
    private static long end(View view) {
        long last = 0;
        for (int i = 0; i < view.rank(); i++) {
            last += (view.sizes[i] - 1) * view.strides[i];
        }
        return view.address + (last + 1) * view.elementBytes();
    }
}
