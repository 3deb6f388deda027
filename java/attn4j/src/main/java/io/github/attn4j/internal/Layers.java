// SPDX-License-Identifier: Apache-2.0
// The arguments have passed Check; here their owners are held for the length of one native call. Nothing is allocated.
package io.github.attn4j.internal;

/** The native calls of the layers around attention. Null views stand for absent optional operands. */
public final class Layers {
    private Layers() {}

    /** out = activation(x weight + bias) + residual */
    public static void linear(View x, View weight, boolean inOut, View bias, View residual, View out, int activation,
                              Isa isa, int threads) {
        if (Native.attn4j_gemm_uses_openblas(isa.ordinal()) > 0) {
            OpenBlas.open();
        }
        Held.acquire(x, weight, bias, residual, out);
        try {
            Status.check(Native.attn4j_linear(x.address, stride(x), weight.address, stride(weight),
                inOut ? Native.ATTN4J_IN_OUT : Native.ATTN4J_OUT_IN, address(bias), address(residual),
                residual == null ? 0 : stride(residual), out.address, stride(out), x.sizes[0], x.sizes[1],
                out.sizes[1], activation, isa.ordinal(), threads));
        } finally {
            Held.release(x, weight, bias, residual, out);
        }
    }

    /** out = layerNorm(x + residual) */
    public static void layerNorm(View x, View residual, View gamma, View beta, double epsilon, View out, Isa isa,
                                 int threads) {
        Held.acquire(x, residual, gamma, beta, out);
        try {
            Status.check(Native.attn4j_layer_norm(x.address, stride(x), address(residual),
                residual == null ? 0 : stride(residual), gamma.address, beta.address, epsilon, out.address,
                stride(out), x.sizes[0], x.sizes[1], isa.ordinal(), threads));
        } finally {
            Held.release(x, residual, gamma, beta, out);
        }
    }

    /** out = activation(x) */
    public static void activate(int activation, View x, View out, Isa isa, int threads) {
        Held.acquire(x, out, null, null, null);
        try {
            Status.check(Native.attn4j_activate(activation, x.address, stride(x), out.address, stride(out),
                x.sizes[0], x.sizes[1], isa.ordinal(), threads));
        } finally {
            Held.release(x, out, null, null, null);
        }
    }

    /** out = a + b */
    public static void add(View a, View b, View out, Isa isa, int threads) {
        Held.acquire(a, b, out, null, null);
        try {
            Status.check(Native.attn4j_add(a.address, stride(a), b.address, stride(b), out.address, stride(out),
                a.sizes[0], a.sizes[1], isa.ordinal(), threads));
        } finally {
            Held.release(a, b, out, null, null);
        }
    }

    /** out[r] = table[ids[r]], or += */
    public static void embed(View table, View ids, View out, boolean accumulate, Isa isa, int threads) {
        Held.acquire(table, ids, out, null, null);
        try {
            Status.check(Native.attn4j_embed(table.address, table.sizes[0], stride(table), ids.address, out.address,
                stride(out), out.sizes[0], out.sizes[1], accumulate ? 1 : 0, isa.ordinal(), threads));
        } finally {
            Held.release(table, ids, out, null, null);
        }
    }

    /** out[b] = mean of rows cu[b] to cu[b + 1] - 1 of x */
    public static void meanPool(View x, View cu, View out, Isa isa, int threads) {
        Held.acquire(x, cu, out, null, null);
        try {
            Check.total(cu, "cu", x.sizes[0], "x.size(0)");
            Status.check(Native.attn4j_mean_pool(x.address, stride(x), cu.address, out.sizes[0], out.address,
                stride(out), x.sizes[1], isa.ordinal(), threads));
        } finally {
            Held.release(x, cu, out, null, null);
        }
    }

    /** out = x / max(|x|, epsilon) by rows */
    public static void normalize(View x, double epsilon, View out, Isa isa, int threads) {
        Held.acquire(x, out, null, null, null);
        try {
            Status.check(Native.attn4j_normalize(x.address, stride(x), epsilon, out.address, stride(out), x.sizes[0],
                x.sizes[1], isa.ordinal(), threads));
        } finally {
            Held.release(x, out, null, null, null);
        }
    }

    private static long address(View view) {
        return view == null ? 0 : view.address;
    }

    /** The row stride of a matrix; that of a single row does not matter and may be anything. */
    private static long stride(View matrix) {
        return matrix.sizes[0] > 1 ? matrix.strides[0] : Math.max(1, matrix.sizes[1]);
    }
}
