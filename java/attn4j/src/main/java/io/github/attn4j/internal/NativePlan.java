// SPDX-License-Identifier: Apache-2.0
// Mirrors attn4j_plan: create, set, build, then run from any thread. The arguments have passed Check.
package io.github.attn4j.internal;

/** A native plan and its owner. */
public final class NativePlan {
    /** The operands whose strides a plan fixes; the ordinal is the native code. */
    public enum Operand {
        /** Queries. */
        Q,
        /** Keys. */
        K,
        /** Values. */
        V,
        /** Result. */
        OUT
    }

    private final Owner owner;
    private final long plan;

    private NativePlan(long plan) {
        this.plan = plan;
        this.owner = Owner.of("AttentionPlan", () -> Native.attn4j_plan_free(plan));
    }

    /** An empty plan of these capacities. */
    public static NativePlan create(long batch, long heads, long kvHeads, long queries, long keys, long headDim,
                                    long valueDim) {
        long plan = Native.attn4j_plan_create(batch, heads, kvHeads, queries, keys, headDim, valueDim);
        if (plan == 0) {
            throw Status.failure(Native.ATTN4J_INVALID_ARGUMENT);
        }
        return new NativePlan(plan);
    }

    /** Strides of an operand, in elements. */
    public void strides(Operand operand, long batch, long head, long row) {
        Status.check(Native.attn4j_plan_set_strides(plan, operand.ordinal(), batch, head, row));
    }

    /** The factor of the scores. */
    public void scale(double scale) {
        Status.check(Native.attn4j_plan_set_scale(plan, scale));
    }

    /** Query i sees the keys up to i + offset; the default offset is 0, or keys - queries. */
    public void causal(boolean topLeft) {
        Status.check(Native.attn4j_plan_set_causal(plan,
            topLeft ? Native.ATTN4J_TOP_LEFT : Native.ATTN4J_BOTTOM_RIGHT));
    }

    /** Sequences lie end to end. */
    public void ragged() {
        Status.check(Native.attn4j_plan_set_ragged(plan));
    }

    /** Instruction set and limit of threads; chooses the kernel. */
    public void build(Isa isa, int threads) {
        Status.check(Native.attn4j_plan_set_isa(plan, isa.ordinal()));
        Status.check(Native.attn4j_plan_set_threads(plan, threads));
        Status.check(Native.attn4j_plan_build(plan));
    }

    /** The ISA that build chose. */
    public Isa isa() {
        owner.acquire();
        try {
            return Isa.of(Native.attn4j_plan_isa(plan));
        } finally {
            owner.release();
        }
    }

    /** Runs over [batch, heads, rows, dim] operands; lse, keyLengths and offsets may be null. */
    public void run(long batch, long queries, long keys, View q, View k, View v, View out, View lse, View keyLengths,
                    View offsets) {
        run(batch, queries, keys, q, k, v, out, lse, keyLengths, offsets, null, null);
    }

    /** Runs over sequences that lie end to end; lse and offsets may be null. */
    public void runRagged(View q, View k, View v, View out, View lse, View offsets, View cuQueries, View cuKeys) {
        run(cuQueries.sizes[0] - 1, 0, 0, q, k, v, out, lse, null, offsets, cuQueries, cuKeys);
    }

    /** Frees it, once; IllegalStateException while a run is under way. */
    public void close() {
        owner.close();
    }

    private void run(long batch, long queries, long keys, View q, View k, View v, View out, View lse, View keyLengths,
                     View offsets, View cuQueries, View cuKeys) {
        owner.acquire();
        try {
            Held.acquire(q, k, v, out, lse);
            try {
                Held.acquire(keyLengths, offsets, cuQueries, cuKeys, null);
                try {
                    checkTotals(q, k, lse, cuQueries, cuKeys);
                    Status.check(Native.attn4j_plan_run(plan, batch, queries, keys, q.address, k.address, v.address,
                        out.address, address(lse), address(keyLengths), address(offsets), address(cuQueries),
                        address(cuKeys)));
                } finally {
                    Held.release(keyLengths, offsets, cuQueries, cuKeys, null);
                }
            } finally {
                Held.release(q, k, v, out, lse);
            }
        } finally {
            owner.release();
        }
    }

    private static void checkTotals(View q, View k, View lse, View cuQueries, View cuKeys) {
        if (cuQueries == null) {
            return;
        }
        Check.total(cuQueries, "cuQueries", q.sizes[0], "q.size(0)");
        Check.total(cuKeys, "cuKeys", k.sizes[0], "k.size(0)");
        if (lse != null) {
            long total = Native.longAt(cuQueries.address + (cuQueries.sizes[0] - 1) * Long.BYTES);
            Check.size(lse, "lse", 1, total, "the last of cuQueries");
        }
    }

    private static long address(View view) {
        return view == null ? 0 : view.address;
    }
}
