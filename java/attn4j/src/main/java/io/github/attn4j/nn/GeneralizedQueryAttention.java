// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.KeyValues;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Several query sequences attend, each jointly, to several key-value sources of any lengths, as if the sources were
 * concatenated, which they are not: each is attended to for itself, and the partial results are merged. Thread-safe, as
 * {@link AttentionModule} says. There is no dropout, and no weights are written: they do not come in parts.
 *
 * <p>PyTorch names: query_linear, key_linear, value_linear, out_linear, each with weight [width, width] and bias
 * [width].
 *
 * <p>The working memory of earlier calls is used again, one for each call under way at once.
 */
public final class GeneralizedQueryAttention extends AttentionModule {
    private static final int BATCH = 0, ROWS = 1;

    private final Blueprint blueprint;
    private final Idle<Work> idle = new Idle<>();
    private volatile Blueprint.Layers layers;

    private GeneralizedQueryAttention(Blueprint blueprint) {
        super(blueprint.parameters("GeneralizedQueryAttention"), 0);
        this.blueprint = blueprint;
    }

    /**
     * A builder.
     *
     * @param width of queries, sources and output, at least 1
     * @param heads at least 1, dividing the width
     * @return the builder
     * @throws IllegalArgumentException if one is less
     */
    public static Builder builder(long width, long heads) {
        return new Builder(width, heads);
    }

    @Override
    void assemble(Map<String, Tensor> checked) {
        layers = blueprint.layers(checked);
    }

    /**
     * Runs with new tensors as results.
     *
     * @param scope owns the results
     * @param queries each [batch, queries of its own, width]
     * @param sources each [batch, keys of its own, width]; none gives what a query that sees nothing gives
     * @return for each of the queries a tensor of its shape
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded or a scope is closed
     */
    public List<Tensor> apply(TensorScope scope, List<Tensor> queries, List<Tensor> sources) {
        List<Tensor> outs = new ArrayList<>();
        for (Tensor query : queries) {
            outs.add(Operands.newRows(scope, Operands.threeDims(query, "query"), blueprint.width()));
        }
        run(queries, sources, outs);
        return List.copyOf(outs);
    }

    /**
     * Runs.
     *
     * @param queries each [batch, queries of its own, width]
     * @param sources each [batch, keys of its own, width]
     * @param outs for each of the queries a tensor of its shape, which may be the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other; nothing was written then
     * @throws IllegalStateException if nothing was loaded or a scope is closed
     */
    public void run(List<Tensor> queries, List<Tensor> sources, List<Tensor> outs) {
        Blueprint.Layers now = loaded(layers);
        check(queries, sources, outs);
        idle.use(() -> new Work(blueprint), work -> work.run(now, queries, sources, outs));
    }

    private void check(List<Tensor> queries, List<Tensor> sources, List<Tensor> outs) {
        if (outs.size() != queries.size()) {
            throw new IllegalArgumentException("each of the queries must have an out: queries=" + queries.size()
                + " outs=" + outs.size());
        }
        for (int i = 0; i < queries.size(); i++) {
            View query = sequence(queries, i, "queries", queries.get(0).size(BATCH));
            View out = sequence(outs, i, "outs", query.size(BATCH));
            Check.size(out, "outs[" + i + "]", ROWS, query.size(ROWS), "queries");
            Check.writable(out, "outs[" + i + "]");
        }
        for (int i = 0; i < sources.size() && !queries.isEmpty(); i++) {
            sequence(sources, i, "sources", queries.get(0).size(BATCH));
        }
    }

    private View sequence(List<Tensor> tensors, int index, String name, long batch) {
        View view = Operands.sequence(tensors.get(index), name + "[" + index + "]", blueprint.width());
        Check.size(view, name + "[" + index + "]", BATCH, batch, "batch");
        return view;
    }

    /** The memory of a call. */
    private static final class Work {
        private final Blueprint blueprint;
        private final SegmentedAttention attention;
        private final Scratch memory = new Scratch(DType.FLOAT32);

        Work(Blueprint blueprint) {
            this.blueprint = blueprint;
            attention = new SegmentedAttention(blueprint.attention(false, false));
        }

        void run(Blueprint.Layers layers, List<Tensor> queries, List<Tensor> sources, List<Tensor> outs) {
            long elements = 0;
            for (Tensor query : queries) {
                elements += 2 * query.elements();
            }
            for (Tensor source : sources) {
                elements += 2 * source.elements();
            }
            memory.begin(elements);
            List<KeyValues> segments = new ArrayList<>();
            for (Tensor source : sources) {
                segments.add(new KeyValues(project(layers.key(), source), project(layers.value(), source)));
            }
            List<Projected> contexts = new ArrayList<>();
            for (Tensor query : queries) {
                Projected context = like(query);
                Tensor heads = project(layers.query(), query);
                attention.run(AttentionInputs.of(heads, null, null, context.heads()), segments);
                contexts.add(context);
            }
            for (int i = 0; i < outs.size(); i++) {
                layers.out().run(contexts.get(i).rows(), outs.get(i));
            }
        }

        private Tensor project(Linear layer, Tensor x) {
            Projected projected = like(x);
            layer.run(x, projected.rows());
            return projected.heads();
        }

        private Projected like(Tensor x) {
            return Projected.of(memory.take(x.size(0), x.size(1), x.size(2)), blueprint.heads());
        }
    }

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private Builder(long width, long heads) {
            super(width, heads);
        }

        /**
         * Refused if it is not 0: partial results would have to agree on what is dropped.
         *
         * @param probability 0
         * @return this
         * @throws IllegalArgumentException if it is anything else
         */
        @Override
        public Builder dropout(double probability) {
            if (probability != 0) {
                throw new IllegalArgumentException("GeneralizedQueryAttention has no dropout: dropout=" + probability
                    + " expected=0");
            }
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width
         */
        public GeneralizedQueryAttention build() {
            return new GeneralizedQueryAttention(
                new Blueprint(this, "query_linear", "key_linear", "value_linear").out("out_linear"));
        }
    }
}
