// SPDX-License-Identifier: Apache-2.0
// Mirrors attn4j_plan: create, set, build, then run from any thread. The arguments have passed Check.
package io.github.attn4j.internal;

import java.nio.charset.StandardCharsets;

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

    /** The most bytes of an explanation. */
    private static final int EXPLANATION = 1024;

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

    /** Element type of an operand, of a view's. */
    public void type(Operand operand, int type) {
        Status.check(Native.attn4j_plan_set_dtype(plan, operand.ordinal(), View.dtypeCode(type)));
    }

    /** Runs give the scales of keys or values, with these strides. */
    public void scales(Operand operand, long batch, long head) {
        Status.check(Native.attn4j_plan_set_scales(plan, operand.ordinal(), batch, head));
    }

    /** Keys and values lie in pages, of which runs give a table. Makes their strides contiguous. */
    public void pages(long count, long rows, long tableStride) {
        Status.check(Native.attn4j_plan_set_pages(plan, count, rows, tableStride));
    }

    /** The factor of the scores. */
    public void scale(double scale) {
        Status.check(Native.attn4j_plan_set_scale(plan, scale));
    }

    /** How far before and after its own position a query sees; -1 for any distance. */
    public void window(long left, long right) {
        Status.check(Native.attn4j_plan_set_window(plan, left, right));
    }

    /** Scores become softcap * tanh(score / softcap). */
    public void softcap(double softcap) {
        Status.check(Native.attn4j_plan_set_softcap(plan, softcap));
    }

    /** The probability that a weight is dropped. */
    public void dropout(double p) {
        Status.check(Native.attn4j_plan_set_dropout(plan, p));
    }

    /** Runs add a bias with these strides over [batch, heads, queries, keys]. */
    public void bias(long[] strides) {
        Status.check(Native.attn4j_plan_set_bias(plan, strides[0], strides[1], strides[2], strides[3]));
    }

    /** Runs take a mask with these strides. */
    public void mask(long[] strides) {
        Status.check(Native.attn4j_plan_set_mask(plan, strides[0], strides[1], strides[2], strides[3]));
    }

    /** Runs write a stage, 0 for the first, with these strides; averaged over heads, that of the heads is not used. */
    public void stage(int stage, boolean averaged, long[] strides) {
        Status.check(Native.attn4j_plan_set_stage(plan, Native.ATTN4J_STAGE_SCALED + stage, averaged ? 1 : 0,
            strides[0], strides[1], strides[2]));
    }

    /** Query i sees the keys up to i + offset. */
    public void causal() {
        Status.check(Native.attn4j_plan_set_causal(plan));
    }

    /** The offset where a run gives none is 0, and not keys - queries. */
    public void topLeft() {
        Status.check(Native.attn4j_plan_set_alignment(plan, Native.ATTN4J_TOP_LEFT));
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

    /** One line on kernel, tiles, tasks and workspace. */
    public String explain() {
        Blocks blocks = new Blocks();
        owner.acquire();
        try {
            long address = blocks.allocate(EXPLANATION);
            Status.check(Native.attn4j_plan_explain(plan, address, EXPLANATION));
            byte[] text = new byte[EXPLANATION];
            Native.attn4j_memory_copy(text, 0, address, 0, EXPLANATION);
            int length = 0;
            while (text[length] != 0) {
                length++;
            }
            return new String(text, 0, length, StandardCharsets.UTF_8);
        } finally {
            owner.release();
            blocks.run();
        }
    }

    /**
     * Runs. Null stands for what is not given. With cumulative lengths, batch is the number of sequences, queries do
     * not matter, and keys are the most of a sequence that its pages have room for. The keys are rows of k and v from
     * firstKey on, and of bias and mask from firstScore on.
     */
    public void run(long batch, long queries, long keys, long firstKey, long firstScore, View q, View k, View v,
                    View out, View lse, View keyLengths, View offsets, View cuQueries, View cuKeys, View pages,
                    View kScales, View vScales, View bias, View mask, View slopes, View sinks, View scores, long seed,
                    View cancelled) {
        owner.acquire();
        try {
            Held.acquire(q, k, v, out, lse);
            try {
                Held.acquire(keyLengths, offsets, cuQueries, cuKeys, bias);
                try {
                    Held.acquire(mask, slopes, sinks, scores, cancelled);
                    try {
                        Held.acquire(pages, kScales, vScales, null, null);
                        try {
                            checkTotals(q, k, lse, cuQueries, cuKeys, pages == null ? -1 : keys);
                            Status.check(Native.attn4j_plan_run(plan, batch, queries, keys, q.address, row(k, firstKey),
                                row(v, firstKey), out.address, address(lse), address(keyLengths), address(offsets),
                                address(cuQueries), address(cuKeys), address(pages), scale(kScales, firstKey),
                                scale(vScales, firstKey), from(bias, firstScore), from(mask, firstScore),
                                address(slopes), address(sinks), address(scores), seed, address(cancelled)));
                        } finally {
                            Held.release(pages, kScales, vScales, null, null);
                        }
                    } finally {
                        Held.release(mask, slopes, sinks, scores, cancelled);
                    }
                } finally {
                    Held.release(keyLengths, offsets, cuQueries, cuKeys, bias);
                }
            } finally {
                Held.release(q, k, v, out, lse);
            }
        } finally {
            owner.release();
        }
    }

    /** Frees it, once; IllegalStateException while a run is under way. */
    public void close() {
        owner.close();
    }

    private static void checkTotals(View q, View k, View lse, View cuQueries, View cuKeys, long inPages) {
        if (cuQueries == null) {
            return;
        }
        CumulativeLengths.total(cuQueries, "cuQueries", q.sizes[0], "q.size(0)");
        if (inPages < 0) {
            CumulativeLengths.total(cuKeys, "cuKeys", k.sizes[0], "k.size(0)");
        } else {
            CumulativeLengths.lengths(cuKeys, "cuKeys", inPages);
        }
        if (lse != null) {
            long total = Native.longAt(cuQueries.address + (cuQueries.sizes[0] - 1) * Long.BYTES);
            Check.size(lse, "lse", 1, total, "the last of cuQueries");
        }
    }

    /** Where a row of keys or values is; 0 is the first of any layout. */
    private static long row(View view, long row) {
        return row == 0 ? view.address : view.address + row * view.strides[2] * view.elementBytes();
    }

    /** Where the scale of a row is. */
    private static long scale(View view, long row) {
        return view == null ? 0 : view.address + row * Float.BYTES;
    }

    /** Where a bias or mask begins for the keys from one on; one for all keys begins where it does. */
    private static long from(View view, long key) {
        return view == null || view.width() == 1 ? address(view) : view.address + key * view.elementBytes();
    }

    private static long address(View view) {
        return view == null ? 0 : view.address;
    }
}
