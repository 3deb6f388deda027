// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Merging;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;

/**
 * Attention over disjoint sets of keys from the result over each, exactly: {@code lse = log(exp(sink) + sum
 * exp(lse_p))}, {@code out = sum exp(lse_p - lse) out_p} (online softmax, arXiv:1805.02867). Immutable and thread-safe.
 *
 * <p>The partial results must not have had a sink: it is added once, here. A partial result whose lse is -inf, which
 * saw no key, is not looked at; where nothing was seen at all, out is 0 and lse -inf, or the sink. Results of ragged
 * runs, out [totalQueries, heads, valueDim] and lse [heads, totalQueries], are merged as a batch of one: {@code
 * out.transpose(0, 1).reshape(1, heads, totalQueries, valueDim)} and {@code lse.reshape(1, heads, totalQueries)}.
 */
public final class Merge {
    private final Isa isa;
    private final int threads;

    private Merge(Builder builder) {
        isa = builder.isa;
        threads = builder.threads;
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Merges without a sink.
     *
     * @param outs partial results, each FLOAT32 [batch, heads, queries, valueDim]
     * @param lses as many natural logarithms of softmax denominators, each contiguous FLOAT32 [batch, heads, queries]
     * @param out FLOAT32 [batch, heads, queries, valueDim]; may be the first of outs
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(List<Tensor> outs, List<Tensor> lses, Tensor out) {
        run(outs, lses, null, out, null);
    }

    /**
     * Merges.
     *
     * @param outs partial results, each FLOAT32 [batch, heads, queries, valueDim]; none gives 0
     * @param lses as many natural logarithms of softmax denominators, each contiguous FLOAT32 [batch, heads, queries]
     * @param sinks null, or contiguous FLOAT32 [heads]: exp(sink) is added to the denominator
     * @param out FLOAT32 [batch, heads, queries, valueDim]; may be the first of outs, shares nothing with the others
     * @param lse null, or contiguous FLOAT32 [batch, heads, queries]; may be the first of lses
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(List<Tensor> outs, List<Tensor> lses, Tensor sinks, Tensor out, Tensor lse) {
        if (outs.size() != lses.size()) {
            throw new IllegalArgumentException("outs and lses must be as many: outs.size()=" + outs.size()
                + " lses.size()=" + lses.size());
        }
        View result = Check.rows(out, "out", 4);
        Check.writable(result, "out");
        Check.atLeast(1, result.size(1), "heads");
        Check.atLeast(1, result.size(3), "valueDim");
        View log = lse == null ? null : lse(lse, "lse", result);
        if (log != null) {
            Check.writable(log, "lse");
            Check.disjoint(log, "lse", result, "out");
        }
        View sink = sinks == null ? null : Check.vector(sinks, "sinks", View.FLOAT32, result.size(1), "heads");
        if (sink != null) {
            apart(result, log, sink, "sinks");
        }
        View[] partialOuts = new View[outs.size()];
        View[] partialLses = new View[outs.size()];
        for (int p = 0; p < partialOuts.length; p++) {
            String name = "outs[" + p + "]";
            String logName = "lses[" + p + "]";
            partialOuts[p] = Check.rows(outs.get(p), name, 4);
            for (int d = 0; d < 4; d++) {
                Check.size(partialOuts[p], name, d, result.size(d), "out.size(" + d + ")");
            }
            partialLses[p] = lse(lses.get(p), logName, result);
            first(p, result, "out", partialOuts[p], name);
            Check.disjoint(result, "out", partialLses[p], logName);
            if (log != null) {
                first(p, log, "lse", partialLses[p], logName);
                Check.disjoint(log, "lse", partialOuts[p], name);
            }
        }
        new Merging(isa, threads).run(partialOuts, partialLses, partialOuts.length, sink, result, log);
    }

    /**
     * Merges without a sink, with a new tensor as result.
     *
     * @param scope owns the result
     * @param outs partial results, at least one, each FLOAT32 [batch, heads, queries, valueDim]
     * @param lses as many natural logarithms of softmax denominators, each contiguous FLOAT32 [batch, heads, queries]
     * @return [batch, heads, queries, valueDim], contiguous
     * @throws IllegalArgumentException if the tensors do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, List<Tensor> outs, List<Tensor> lses) {
        if (outs.isEmpty()) {
            throw new IllegalArgumentException("outs must have a partial result to take the shape from: outs.size()=0 "
                + "minimum=1");
        }
        Tensor out = scope.zeros(DType.FLOAT32, outs.get(0).shape());
        run(outs, lses, out);
        return out;
    }

    private static View lse(Tensor lse, String name, View out) {
        View view = Check.tensor(lse, name, View.FLOAT32, 3);
        Check.contiguous(view, name);
        Check.size(view, name, 0, out.size(0), "batch");
        Check.size(view, name, 1, out.size(1), "heads");
        Check.size(view, name, 2, out.size(2), "queries");
        return view;
    }

    /** The first partial result may be the place of the whole. */
    private static void first(int partial, View written, String writtenName, View read, String readName) {
        if (partial == 0) {
            Check.sameOrDisjoint(written, writtenName, read, readName);
        } else {
            Check.disjoint(written, writtenName, read, readName);
        }
    }

    private static void apart(View out, View lse, View read, String name) {
        Check.disjoint(out, "out", read, name);
        if (lse != null) {
            Check.disjoint(lse, "lse", read, name);
        }
    }

    /** Options of a merge. */
    public static final class Builder {
        private Isa isa = Isa.DEFAULT;
        private int threads;

        private Builder() {}

        /**
         * The most threads that work on a run, 0 (the default) for all of the pool.
         *
         * @param limit at least 0
         * @return this
         */
        public Builder threads(int limit) {
            threads = Check.threads(limit);
            return this;
        }

        /** Forces an instruction set, for tests. */
        Builder isa(Isa forced) {
            isa = forced;
            return this;
        }

        /** {@return the merge} */
        public Merge build() {
            return new Merge(this);
        }
    }
}
