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
    /** Strides of the batch or the pages (0 where there is neither), and of the heads; null without scales. */
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
        return view == null ? null
            : new long[] {view.rank() == 3 ? view.stride(0) : 0, view.stride(view.rank() - 2)};
    }

    /** The rules that scales and pages obey, with q, k and v that fit each other. */
    static void check(AttentionInputs in, Tensor q, Tensor k, Tensor v) {
        checkScales(k, "k", in.kScales, "kScales");
        checkScales(v, "v", in.vScales, "vScales");
        if (in.pages != null) {
            View table = Check.tensor(in.pages, "pages", View.INT64, 2);
            if (in.isRagged()) {
                Check.size(table, "pages", 0, Layout.sequences(in.cuQueries, in.cuKeys), "sequences");
            } else {
                Check.size(table, "pages", 0, q.size(0), "batch");
            }
            Check.innermostOne(table, "pages");
            Check.atLeast(1, k.size(ROWS), "k.size(2), the rows of a page,");
        }
    }

    /** Scales are there exactly for INT8, one a head and row: [batch, heads, rows], of ragged rows [heads, rows]. */
    static void checkScales(Tensor rows, String name, Tensor scales, String scalesName) {
        View view = View.of(rows, name);
        if ((view.type == View.INT8) != (scales != null)) {
            throw new IllegalArgumentException(scalesName + " must be given exactly where " + name + " is INT8: " + name
                + ".dtype=" + view.typeName() + " " + scalesName + "=" + scales);
        }
        if (scales != null) {
            View factors = Check.tensor(scales, scalesName, View.FLOAT32, view.rank() - 1);
            for (int d = 0; d < factors.rank(); d++) {
                int of = view.rank() == 4 ? d : 1 - d;
                if (factors.size(d) != view.size(of)) {
                    Check.size(factors, scalesName, d, view.size(of), name + ".size(" + of + ")");
                }
            }
            Check.innermostOne(factors, scalesName);
        }
    }

    /** The most keys of a run, of all ragged sequences that lie end to end, or of each in pages. */
    long keys(View k) {
        return paged ? columns * pageSize : k.size(Layout.rowDim(k));
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

    /** How many keys a run over these has, as {@link #keys} counts them; they passed {@link #check}. */
    long checkRun(AttentionInputs in, View k) {
        if (paged != (in.pages != null)) {
            throw new IllegalArgumentException("pages must be given exactly where the plan has them: pages=" + in.pages
                + " plan=" + (paged ? "with" : "without"));
        }
        checkStrides(in.kScales, "kScales", kScales);
        checkStrides(in.vScales, "vScales", vScales);
        if (!paged) {
            return in.keys < 0 ? k.size(Layout.rowDim(k)) : in.keys;
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
        return hasStride(view, view.rank() - 3, planned[0]) && hasStride(view, view.rank() - 2, planned[1]);
    }

    /** The stride of a dimension of size 1, or of none, does not matter. */
    private static boolean hasStride(View view, int dim, long planned) {
        return dim < 0 || view.size(dim) <= 1 || view.stride(dim) == planned;
    }

    private static void checkStrides(Tensor scales, String name, long[] planned) {
        View view = scales == null ? null : View.of(scales, name);
        for (int i = 0; view != null && planned != null && i < 2; i++) {
            int dim = view.rank() - 3 + i;
            if (!hasStride(view, dim, planned[i])) {
                throw misfit(name, dim, view.stride(dim), planned[i]);
            }
        }
    }

    private static IllegalArgumentException misfit(String name, int dim, long stride, long planned) {
        return new IllegalArgumentException(name + " must have the plan's strides: " + name + ".stride(" + dim + ")="
            + stride + " planned=" + planned);
    }
}
