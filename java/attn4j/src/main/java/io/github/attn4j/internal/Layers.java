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
            Status.check(Native.attn4j_linear(x.address, x.rowStride(), weight.address, weight.rowStride(),
                inOut ? Native.ATTN4J_IN_OUT : Native.ATTN4J_OUT_IN, address(bias), address(residual),
                rowStride(residual), out.address, out.rowStride(), x.rows(), x.width(), out.width(), activation,
                isa.ordinal(), threads));
        } finally {
            Held.release(x, weight, bias, residual, out);
        }
    }

    /**
     * Rows [fromOut, fromOut + rows) of each entry of out = rows [fromX, fromX + rows) of each entry of x weight +
     * bias; both are [batch, rows, width] with innermost stride 1.
     */
    public static void linearRows(View x, long fromX, View weight, boolean inOut, View bias, View out, long fromOut,
                                  long rows, int activation, Isa isa, int threads) {
        if (rows == x.sizes[1] && rows == out.sizes[1] && x.isMatrix() && out.isMatrix()) {
            linear(x, weight, inOut, bias, null, out, activation, isa, threads);
            return;
        }
        if (Native.attn4j_gemm_uses_openblas(isa.ordinal()) > 0) {
            OpenBlas.open();
        }
        Held.acquire(x, weight, bias, out, null);
        try {
            for (long b = 0; b < x.sizes[0]; b++) {
                Status.check(Native.attn4j_linear(row(x, b, fromX), stride(x, rows), weight.address,
                    weight.rowStride(), inOut ? Native.ATTN4J_IN_OUT : Native.ATTN4J_OUT_IN, address(bias), 0, 0,
                    row(out, b, fromOut), stride(out, rows), rows, x.width(), out.width(), activation, isa.ordinal(),
                    threads));
            }
        } finally {
            Held.release(x, weight, bias, out, null);
        }
    }

    /**
     * Entries [fromOut, fromOut + entries) of out = entries [fromX, fromX + entries) of x weight + bias. Both are
     * matrices of three dimensions, of which batchDim, 0 or 1, is the batch; with 1 it is one entry, or all of both.
     */
    public static void linearEntries(View x, long fromX, View weight, boolean inOut, View bias, View out, long fromOut,
                                     long entries, int batchDim, int activation, Isa isa, int threads) {
        if (Native.attn4j_gemm_uses_openblas(isa.ordinal()) > 0) {
            OpenBlas.open();
        }
        Held.acquire(x, weight, bias, out, null);
        try {
            Status.check(Native.attn4j_linear(entry(x, fromX, batchDim), stride(x, entries, batchDim), weight.address,
                weight.rowStride(), inOut ? Native.ATTN4J_IN_OUT : Native.ATTN4J_OUT_IN, address(bias), 0, 0,
                entry(out, fromOut, batchDim), stride(out, entries, batchDim), entries * x.sizes[1 - batchDim],
                x.width(), out.width(), activation, isa.ordinal(), threads));
        } finally {
            Held.release(x, weight, bias, out, null);
        }
    }

    /** out = activation(x weight + bias) + residual with a weight of BFLOAT16; x and out FLOAT32 or BFLOAT16 */
    public static void linearBf16(View x, View weight, View bias, View residual, View out, int activation, Isa isa,
                                  int threads) {
        Held.acquire(x, weight, bias, residual, out);
        try {
            Status.check(Native.attn4j_linear_bf16(x.address, x.floatCode(), x.rowStride(), weight.address,
                weight.rowStride(), address(bias), address(residual), rowStride(residual), out.address,
                out.floatCode(), out.rowStride(), x.rows(), x.width(), out.width(), activation, isa.ordinal(),
                threads));
        } finally {
            Held.release(x, weight, bias, residual, out);
        }
    }

    /** out = layerNorm(x + residual) */
    public static void layerNorm(View x, View residual, View gamma, View beta, double epsilon, View out, Isa isa,
                                 int threads) {
        Held.acquire(x, residual, gamma, beta, out);
        try {
            Status.check(Native.attn4j_layer_norm(x.address, x.rowStride(), address(residual),
                rowStride(residual), gamma.address, beta.address, epsilon, out.address,
                out.rowStride(), x.rows(), x.width(), isa.ordinal(), threads));
        } finally {
            Held.release(x, residual, gamma, beta, out);
        }
    }

    /** out = activation(x) */
    public static void activate(int activation, View x, View out, Isa isa, int threads) {
        Held.acquire(x, out, null, null, null);
        try {
            Status.check(Native.attn4j_activate(activation, x.address, x.rowStride(), out.address, out.rowStride(),
                x.rows(), x.width(), isa.ordinal(), threads));
        } finally {
            Held.release(x, out, null, null, null);
        }
    }

    /** out = a + b */
    public static void add(View a, View b, View out, Isa isa, int threads) {
        Held.acquire(a, b, out, null, null);
        try {
            Status.check(Native.attn4j_add(a.address, a.rowStride(), b.address, b.rowStride(), out.address,
                out.rowStride(), a.rows(), a.width(), isa.ordinal(), threads));
        } finally {
            Held.release(a, b, out, null, null);
        }
    }

    /** out = x / sqrt(mean of x^2 + epsilon) * gamma by rows */
    public static void rmsNorm(View x, View gamma, double epsilon, View out, Isa isa, int threads) {
        Held.acquire(x, gamma, out, null, null);
        try {
            Status.check(Native.attn4j_rms_norm(x.address, x.rowStride(), gamma.address, epsilon, out.address,
                out.rowStride(), x.rows(), x.width(), isa.ordinal(), threads));
        } finally {
            Held.release(x, gamma, out, null, null);
        }
    }

    /** out = x * sigmoid(gate), each number of the gate for so many columns as there are more of x */
    public static void gate(View x, View gate, View out, Isa isa, int threads) {
        Held.acquire(x, gate, out, null, null);
        try {
            Status.check(Native.attn4j_gate(x.address, x.rowStride(), gate.address, gate.rowStride(),
                x.width() / gate.width(), out.address, out.rowStride(), x.rows(), x.width(), isa.ordinal(), threads));
        } finally {
            Held.release(x, gate, out, null, null);
        }
    }

    /** out = silu(gate) * up */
    public static void swiglu(View gate, View up, View out, Isa isa, int threads) {
        Held.acquire(gate, up, out, null, null);
        try {
            Status.check(Native.attn4j_swiglu(gate.address, gate.rowStride(), up.address, up.rowStride(), out.address,
                out.rowStride(), up.rows(), up.width(), isa.ordinal(), threads));
        } finally {
            Held.release(gate, up, out, null, null);
        }
    }

    /** tokens[r] drawn by logits[r] */
    public static void sample(View logits, double temperature, long topK, double topP, long seed, long step,
                              View tokens, Isa isa, int threads) {
        Held.acquire(logits, tokens, null, null, null);
        try {
            Status.check(Native.attn4j_sample(logits.address, logits.rowStride(), logits.rows(), logits.width(),
                temperature, topK, topP, seed, step, tokens.address, isa.ordinal(), threads));
        } finally {
            Held.release(logits, tokens, null, null, null);
        }
    }

    /** out[r] = table[ids[r]], or += */
    public static void embed(View table, View ids, View out, boolean accumulate, Isa isa, int threads) {
        Held.acquire(table, ids, out, null, null);
        try {
            Status.check(Native.attn4j_embed(table.address, table.sizes[0], table.rowStride(), ids.address,
                out.address, out.rowStride(), out.sizes[0], out.sizes[1], accumulate ? 1 : 0, isa.ordinal(), threads));
        } finally {
            Held.release(table, ids, out, null, null);
        }
    }

    /** out[b] = mean of rows cu[b] to cu[b + 1] - 1 of x */
    public static void meanPool(View x, View cu, View out, Isa isa, int threads) {
        Held.acquire(x, cu, out, null, null);
        try {
            CumulativeLengths.total(cu, "cu", x.sizes[0], "x.size(0)");
            Status.check(Native.attn4j_mean_pool(x.address, x.rowStride(), cu.address, out.sizes[0], out.address,
                out.rowStride(), x.sizes[1], isa.ordinal(), threads));
        } finally {
            Held.release(x, cu, out, null, null);
        }
    }

    /** out = x / max(|x|, epsilon) by rows */
    public static void normalize(View x, double epsilon, View out, Isa isa, int threads) {
        Held.acquire(x, out, null, null, null);
        try {
            Status.check(Native.attn4j_normalize(x.address, x.rowStride(), epsilon, out.address, out.rowStride(),
                x.rows(), x.width(), isa.ordinal(), threads));
        } finally {
            Held.release(x, out, null, null, null);
        }
    }

    /** Where a row of an entry is. */
    private static long row(View view, long b, long row) {
        return view.address + (b * view.strides[0] + row * view.strides[1]) * view.elementBytes();
    }

    /** The distance of so many rows of an entry; that of a single row does not matter and is its width. */
    private static long stride(View view, long rows) {
        return rows > 1 ? view.strides[1] : Math.max(1, view.width());
    }

    /** Where an entry begins. */
    private static long entry(View view, long entry, int batchDim) {
        return view.address + entry * view.strides[batchDim] * view.elementBytes();
    }

    /** The distance of the rows of so many entries; that of a single row does not matter and is its width. */
    private static long stride(View view, long entries, int batchDim) {
        long inner = batchDim == 1 ? entries : view.sizes[1];
        long outer = batchDim == 0 ? entries : view.sizes[0];
        return inner > 1 ? view.strides[1] : outer > 1 ? view.strides[0] : Math.max(1, view.width());
    }

    private static long address(View view) {
        return view == null ? 0 : view.address;
    }

    private static long rowStride(View view) {
        return view == null ? 0 : view.rowStride();
    }
}
