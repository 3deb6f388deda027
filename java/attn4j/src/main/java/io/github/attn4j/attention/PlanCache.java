// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The plans of an attention for operands of several shapes, so that a repeated call plans nothing. Not thread-safe. It
 * keeps no tensor.
 */
final class PlanCache {
    /** A few for each shape of queries that alternate, such as a prompt's and a token's, and each size of chunk. */
    private static final int MOST = 32;

    private final Attention attention;
    private final List<Planned> plans = new ArrayList<>();
    private long clock;

    PlanCache(Attention attention) {
        this.attention = attention;
    }

    /** A plan for these inputs, which take some of the keys, and for others with as many or fewer rows. */
    AttentionPlan plan(AttentionInputs in) {
        clock++;
        for (int i = 0; i < plans.size(); i++) {
            Planned planned = plans.get(i);
            if (planned.fits(in)) {
                planned.used = clock;
                return planned.plan;
            }
        }
        Planned planned = new Planned(attention.plan(in), in);
        planned.used = clock;
        plans.add(planned);
        return planned.plan;
    }

    /** Closes the plans that were not used for longest, if there are too many. No run is under way. */
    void trim() {
        while (plans.size() > MOST) {
            int oldest = 0;
            for (int i = 1; i < plans.size(); i++) {
                oldest = plans.get(i).used < plans.get(oldest).used ? i : oldest;
            }
            plans.remove(oldest).plan.close();
        }
    }

    /** Closes all. */
    void close() {
        plans.forEach(planned -> planned.plan.close());
        plans.clear();
    }

    /** A plan and what it was made for. */
    private static final class Planned {
        final AttentionPlan plan;
        final Template[] templates;
        long used;

        Planned(AttentionPlan plan, AttentionInputs in) {
            this.plan = plan;
            templates = new Template[] {Template.of(in.q), Template.of(in.k), Template.of(in.v), Template.of(in.out),
                Template.of(in.bias), Template.of(in.mask), Template.of(in.kScales), Template.of(in.vScales),
                Template.of(in.pages)};
        }

        boolean fits(AttentionInputs in) {
            Fit keys = in.pages == null ? Fit.FEWER : Fit.EXACT;
            Fit queries = in.isRagged() ? Fit.FIRST : Fit.FEWER;
            Fit scores = in.isRagged() ? Fit.EXACT : Fit.BROADCAST;
            return Template.fits(templates[0], in.q, queries) && Template.fits(templates[1], in.k, keys)
                && Template.fits(templates[2], in.v, keys) && Template.fits(templates[3], in.out, queries)
                && Template.fits(templates[4], in.bias, scores)
                && Template.fits(templates[5], in.mask, scores) && Template.fits(templates[6], in.kScales, keys)
                && Template.fits(templates[7], in.vScales, keys) && Template.fits(templates[8], in.pages, Fit.FIRST);
        }
    }

    /** How the sizes of a tensor may differ from the planned ones. */
    private enum Fit {
        /** Fewer batch entries and rows. */
        FEWER,
        /** Fewer of the first dimension. */
        FIRST,
        /** Not at all. */
        EXACT,
        /** Anyhow, but one for all in the same dimensions. */
        BROADCAST
    }

    /** Type, sizes and strides of a planned tensor. */
    private static final class Template {
        private static final int BATCH = 0, ROWS = 2;

        final int type;
        final long[] sizes;
        final long[] strides;

        private Template(View view) {
            type = view.type;
            sizes = new long[view.rank()];
            strides = new long[view.rank()];
            for (int d = 0; d < sizes.length; d++) {
                sizes[d] = view.size(d);
                strides[d] = view.stride(d);
            }
        }

        static Template of(Tensor tensor) {
            return tensor == null ? null : new Template(View.of(tensor, "tensor"));
        }

        static boolean fits(Template template, Tensor tensor, Fit fit) {
            if (template == null || tensor == null) {
                return template == null && tensor == null;
            }
            View view = View.of(tensor, "tensor");
            boolean fits = view.type == template.type && view.rank() == template.sizes.length;
            for (int d = 0; fits && d < template.sizes.length; d++) {
                long size = view.size(d);
                long planned = template.sizes[d];
                fits = (fit == Fit.BROADCAST ? (size == 1) == (planned == 1)
                    : d == BATCH && fit != Fit.EXACT || d == ROWS && fit == Fit.FEWER ? size <= planned
                    : size == planned)
                    && (size <= 1 || view.stride(d) == template.strides[d]);
            }
            return fits;
        }
    }
}
