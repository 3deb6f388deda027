// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.NativePlan;
import io.github.attn4j.internal.NativePlan.Operand;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * Whether a plan's keys and values lie in pages, and the strides of their scales where they are INT8. Checks whether
 * those of a run fit; allocates nothing then.
 */
final class KeyLayout {
    private static final int ROWS = 2;

    final boolean paged;
    private final long pages;
    private final long pageSize;
    private final long columns;
    private final long tableStride;
    /** Strides of the batch or the pages, and of the heads; null without scales. */
    private final long[] kScales;
    private final long[] vScales;

    KeyLayout(AttentionInputs in) {
        View table = in.pages == null ? null : View.of(in.pages, "pages");
        View k = View.of(in.k, "k");
        paged = table != null;
        pages = paged ? k.size(0) : 0;
        pageSize = paged ? k.size(ROWS) : 0;
        columns = paged ? table.size(1) : 0;
        // That of a single row does not matter.
        tableStride = !paged ? 0 : table.size(0) > 1 ? table.stride(0) : columns;
        kScales = strides(in.kScales);
        vScales = strides(in.vScales);
    }

    private static long[] strides(Tensor scales) {
        View view = scales == null ? null : View.of(scales, "scales");
        return view == null ? null : new long[] {view.stride(0), view.stride(1)};
    }

    /** Neither is for sequences that lie end to end. */
    static void checkRagged(boolean ragged, AttentionInputs in) {
        if (ragged && (in.pages != null || in.kScales != null || in.vScales != null)) {
            throw new IllegalArgumentException("a ragged attention takes neither pages nor scales: pages=" + in.pages
                + " kScales=" + in.kScales + " vScales=" + in.vScales);
        }
    }

    /** The rules that scales and pages obey, with q, k and v that fit each other. */
    static void check(AttentionInputs in, Tensor q, Tensor k, Tensor v) {
        checkScales(k, "k", in.kScales, "kScales");
        checkScales(v, "v", in.vScales, "vScales");
        if (in.pages != null) {
            View table = Check.tensor(in.pages, "pages", View.INT64, 2);
            Check.size(table, "pages", 0, q.size(0), "batch");
            Check.innermostOne(table, "pages");
            Check.atLeast(1, k.size(ROWS), "k.size(2), the rows of a page,");
        }
    }

    /** Scales are there exactly for INT8, one a head and row. */
    static void checkScales(Tensor rows, String name, Tensor scales, String scalesName) {
        View view = View.of(rows, name);
        if ((view.type == View.INT8) != (scales != null)) {
            throw new IllegalArgumentException(scalesName + " must be given exactly where " + name + " is INT8: " + name
                + ".dtype=" + view.typeName() + " " + scalesName + "=" + scales);
        }
        if (scales != null) {
            View factors = Check.tensor(scales, scalesName, View.FLOAT32, 3);
            for (int d = 0; d < 3; d++) {
                if (factors.size(d) != view.size(d)) {
                    Check.size(factors, scalesName, d, view.size(d), name + ".size(" + d + ")");
                }
            }
            Check.innermostOne(factors, scalesName);
        }
    }

    /** The most keys of a run. */
    long keys(View k) {
        return paged ? columns * pageSize : k.size(ROWS);
    }

    /** Tells a plan, before it is told the strides of k and v. */
    void set(NativePlan plan) {
        if (paged) {
            plan.pages(pages, pageSize, tableStride);
        }
        if (kScales != null) {
            plan.scales(Operand.K, kScales[0], kScales[1]);
        }
        if (vScales != null) {
            plan.scales(Operand.V, vScales[0], vScales[1]);
        }
    }

    /** How many keys a run over these has; they passed {@link #check}. */
    long checkRun(AttentionInputs in, View k) {
        if (paged != (in.pages != null)) {
            throw new IllegalArgumentException("pages must be given exactly where the plan has them: pages=" + in.pages
                + " plan=" + (paged ? "with" : "without"));
        }
        checkStrides(in.kScales, "kScales", kScales);
        checkStrides(in.vScales, "vScales", vScales);
        if (!paged) {
            return in.keys < 0 ? k.size(ROWS) : in.keys;
        }
        Check.size(k, "k", 0, pages, "the plan's pages");
        Check.size(k, "k", ROWS, pageSize, "the plan's pageSize");
        View table = View.of(in.pages, "pages");
        if (table.size(1) > columns) {
            throw new IllegalArgumentException("pages must have at most the plan's columns: pages.size(1)="
                + table.size(1) + " planned=" + columns);
        }
        if (table.size(0) > 1 && table.stride(0) != tableStride) {
            throw misfit("pages", 0, table.stride(0), tableStride);
        }
        return in.keys < 0 ? table.size(1) * pageSize : in.keys;
    }

    /** Whether these were planned for; they passed {@link #check}. */
    boolean isFor(AttentionInputs in, View k) {
        if (paged != (in.pages != null) || !isFor(in.kScales, kScales) || !isFor(in.vScales, vScales)) {
            return false;
        }
        View table = paged ? View.of(in.pages, "pages") : null;
        return !paged || k.size(0) == pages && k.size(ROWS) == pageSize && table.size(1) == columns
            && (table.size(0) <= 1 || table.stride(0) == tableStride);
    }

    private static boolean isFor(Tensor scales, long[] planned) {
        if (scales == null || planned == null) {
            return scales == null && planned == null;
        }
        View view = View.of(scales, "scales");
        return (view.size(0) <= 1 || view.stride(0) == planned[0])
            && (view.size(1) <= 1 || view.stride(1) == planned[1]);
    }

    private static void checkStrides(Tensor scales, String name, long[] planned) {
        View view = scales == null ? null : View.of(scales, name);
        for (int d = 0; view != null && planned != null && d < 2; d++) {
            if (view.size(d) > 1 && view.stride(d) != planned[d]) {
                throw misfit(name, d, view.stride(d), planned[d]);
            }
        }
    }

    private static IllegalArgumentException misfit(String name, int dim, long stride, long planned) {
        return new IllegalArgumentException(name + " must have the plan's strides: " + name + ".stride(" + dim + ")="
            + stride + " planned=" + planned);
    }
}
