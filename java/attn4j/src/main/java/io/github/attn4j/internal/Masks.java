// SPDX-License-Identifier: Apache-2.0
// The arguments have passed Check; here their owners are held for the length of one native call. Nothing is allocated.
package io.github.attn4j.internal;

/** The native calls that bring PyTorch's two masks together. A null mask is none. */
public final class Masks {
    private Masks() {}

    /**
     * Which keys are seen: those that no mask hides, that are not behind the query if causal, and `extra` at the end.
     *
     * @param padding BOOL [batch, keys]
     * @param pairs BOOL [queries, keys] or [batch * heads, queries, keys]
     * @param out BOOL [batch, heads, queries, keys + extra], each of the first three 1 where no mask tells them apart
     */
    public static void keep(View padding, View pairs, long heads, boolean causal, View out, long extra) {
        Held.acquire(padding, pairs, out, null, null);
        try {
            Status.check(Native.attn4j_mask_keep(address(padding), batch(padding), 0, 0, address(pairs),
                batch(pairs, heads), head(pairs), query(pairs), causal ? 1 : 0, out.address, out.strides[0],
                out.strides[1], out.strides[2], out.sizes[0], out.sizes[1], out.sizes[2], out.sizes[3] - extra, extra));
        } finally {
            Held.release(padding, pairs, out, null, null);
        }
    }

    /** The sum of two FLOAT32 masks, shaped like those of keep. */
    public static void bias(View padding, View pairs, long heads, View out, long extra) {
        Held.acquire(padding, pairs, out, null, null);
        try {
            Status.check(Native.attn4j_mask_bias(address(padding), batch(padding), 0, 0, address(pairs),
                batch(pairs, heads), head(pairs), query(pairs), out.address, out.strides[0], out.strides[1],
                out.strides[2], out.sizes[0], out.sizes[1], out.sizes[2], out.sizes[3] - extra, extra));
        } finally {
            Held.release(padding, pairs, out, null, null);
        }
    }

    private static long address(View view) {
        return view == null ? 0 : view.address;
    }

    private static long batch(View padding) {
        return padding == null ? 0 : padding.strides[0];
    }

    private static long batch(View pairs, long heads) {
        return pairs == null || pairs.rank() == 2 ? 0 : heads * pairs.strides[0];
    }

    private static long head(View pairs) {
        return pairs == null || pairs.rank() == 2 ? 0 : pairs.strides[0];
    }

    private static long query(View pairs) {
        return pairs == null ? 0 : pairs.strides[pairs.rank() - 2];
    }
}
