// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

/** Copies between tensors, and between a tensor and a Java array. Each is explicit in the public API. */
public final class Memory {
    /** A garbage collection waits for a critical copy, so that none may be long: 1 MiB takes some 100 us. */
    private static final long CHUNK = 1 << 20;

    private Memory() {}

    /** Copies all elements of `from` to `to`; same type and sizes, any strides, no shared element. */
    public static void copy(View from, View to) {
        from.owner.acquire();
        try {
            to.owner.acquire();
            try {
                Status.check(Native.attn4j_memory_copy_strided(to.address, to.strides, from.address, from.strides,
                    from.sizes, from.rank(), from.elementBytes()));
            } finally {
                to.owner.release();
            }
        } finally {
            from.owner.release();
        }
    }

    /** Copies a Java array, its elements as wide as the view's, of exactly the view's elements to it. */
    public static void fromArray(Object array, View to) {
        if (to.isContiguous()) {
            to.owner.acquire();
            try {
                transfer(array, to, true);
            } finally {
                to.owner.release();
            }
            return;
        }
        Blocks blocks = new Blocks();
        try {
            View packed = packed(to, to.type, blocks);
            transfer(array, packed, true);
            copy(packed, to);
        } finally {
            blocks.run();
        }
    }

    /** Copies the first numbers of an array to those of a contiguous view from one on, where there are so many. */
    public static void fromArray(long[] array, int count, View to, long at) {
        to.owner.acquire();
        try {
            Native.attn4j_memory_copy(to.address, at * Long.BYTES, array, 0, (long) count * Long.BYTES);
        } finally {
            to.owner.release();
        }
    }

    /** Copies all elements of the view to a Java array of exactly that many. */
    public static void toArray(View from, Object array) {
        if (from.isContiguous()) {
            from.owner.acquire();
            try {
                transfer(array, from, false);
            } finally {
                from.owner.release();
            }
            return;
        }
        Blocks blocks = new Blocks();
        try {
            View packed = packed(from, from.type, blocks);
            copy(from, packed);
            transfer(array, packed, false);
        } finally {
            blocks.run();
        }
    }

    /** Contiguous memory of these sizes. */
    static View packed(View like, int type, Blocks blocks) {
        long address = blocks.allocate(like.elements() * View.bytes(type));
        Owner owner = Owner.keeping(blocks, null);
        return new View(owner, address, type, false, like.sizes, View.contiguous(like.sizes));
    }

    private static void transfer(Object array, View view, boolean toNative) {
        long bytes = view.elements() * view.elementBytes();
        for (long at = 0; at < bytes; at += CHUNK) {
            long part = Math.min(CHUNK, bytes - at);
            if (array instanceof float[] floats) {
                part(floats, view.address, at, part, toNative);
            } else if (array instanceof int[] ints) {
                part(ints, view.address, at, part, toNative);
            } else if (array instanceof long[] longs) {
                part(longs, view.address, at, part, toNative);
            } else if (array instanceof short[] shorts) {
                part(shorts, view.address, at, part, toNative);
            } else {
                part((byte[]) array, view.address, at, part, toNative);
            }
        }
    }

    private static void part(float[] array, long address, long at, long bytes, boolean toNative) {
        if (toNative) {
            Native.attn4j_memory_copy(address, at, array, at, bytes);
        } else {
            Native.attn4j_memory_copy(array, at, address, at, bytes);
        }
    }

    private static void part(int[] array, long address, long at, long bytes, boolean toNative) {
        if (toNative) {
            Native.attn4j_memory_copy(address, at, array, at, bytes);
        } else {
            Native.attn4j_memory_copy(array, at, address, at, bytes);
        }
    }

    private static void part(long[] array, long address, long at, long bytes, boolean toNative) {
        if (toNative) {
            Native.attn4j_memory_copy(address, at, array, at, bytes);
        } else {
            Native.attn4j_memory_copy(array, at, address, at, bytes);
        }
    }

    private static void part(short[] array, long address, long at, long bytes, boolean toNative) {
        if (toNative) {
            Native.attn4j_memory_copy(address, at, array, at, bytes);
        } else {
            Native.attn4j_memory_copy(array, at, address, at, bytes);
        }
    }

    private static void part(byte[] array, long address, long at, long bytes, boolean toNative) {
        if (toNative) {
            Native.attn4j_memory_copy(address, at, array, at, bytes);
        } else {
            Native.attn4j_memory_copy(array, at, address, at, bytes);
        }
    }
}
