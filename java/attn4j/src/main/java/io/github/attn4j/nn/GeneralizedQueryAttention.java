// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Several query sequences attend, each jointly, to several key-value sources of any lengths, as if the sources were
 * concatenated, which they are not: each is projected to its own place among the keys and values of all, and one
 * attention goes over them. Thread-safe, as {@link AttentionModule} says.
 *
 * <p>PyTorch names: query_linear, key_linear, value_linear, out_linear, each with weight [width, width] and bias
 * [width].
 *
 * <p>{@code apply} and {@code run} are the simple way; the working memory of earlier calls is used again, one for each
 * call under way at once. {@link #plan} gives working memory of one's own, whose runs allocate nothing.
 */
public final class GeneralizedQueryAttention extends AttentionModule {
    final Blueprint blueprint;
    private final Idle<GeneralizedForward> idle = new Idle<>();
    private volatile Blueprint.Layers layers;

    private GeneralizedQueryAttention(Blueprint blueprint) {
        super(blueprint.parameters("GeneralizedQueryAttention"), blueprint.options.dropout);
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

    Blueprint.Layers layers() {
        return loaded(layers);
    }

    /**
     * Runs with new tensors as results.
     *
     * @param scope owns the results
     * @param queries each [batch, queries of its own, width]
     * @param sources each [batch, keys of its own, width]; none gives what a query that sees nothing gives
     * @return for each of the queries a tensor of its shape
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public List<Tensor> apply(TensorScope scope, List<Tensor> queries, List<Tensor> sources) {
        return apply(scope, GeneralizedInputs.of(queries, sources, null));
    }

    /**
     * Runs with whatever the inputs have, with new tensors as results.
     *
     * @param scope owns the results
     * @param inputs all but outs, which are not looked at
     * @return for each of the queries a tensor of its shape
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public List<Tensor> apply(TensorScope scope, GeneralizedInputs inputs) {
        List<Tensor> before = inputs.outs;
        try {
            List<Tensor> outs = new ArrayList<>();
            for (Tensor query : inputs.queries) {
                outs.add(Operands.newRows(scope, Operands.threeDims(query, "query"), blueprint.width()));
            }
            inputs.outs = List.copyOf(outs);
            run(inputs);
            return inputs.outs;
        } finally {
            inputs.outs = before;
        }
    }

    /**
     * Runs with new tensors as results, the weights of each head among them.
     *
     * @param scope owns the results
     * @param inputs all but outs and weights, which are not looked at; at least one query
     * @return for each of the queries a tensor of its shape, and the weights
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public WeightedOutputs applyWithWeights(TensorScope scope, GeneralizedInputs inputs) {
        Check.atLeast(1, inputs.queries.size(), "queries.size()");
        Tensor before = inputs.weights;
        try {
            long batch = Operands.threeDims(inputs.queries.get(0), "queries[0]").size(0);
            inputs.weights = scope.zeros(DType.FLOAT32, batch, blueprint.heads(), rows(inputs.queries, "queries"),
                rows(inputs.sources, "sources"));
            return new WeightedOutputs(apply(scope, inputs), inputs.weights);
        } finally {
            inputs.weights = before;
        }
    }

    /**
     * Runs.
     *
     * @param queries each [batch, queries of its own, width]
     * @param sources each [batch, keys of its own, width]
     * @param outs for each of the queries a tensor of its shape, which may be the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other; nothing was written then
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public void run(List<Tensor> queries, List<Tensor> sources, List<Tensor> outs) {
        run(GeneralizedInputs.of(queries, sources, outs));
    }

    /**
     * Runs into the outs of the inputs.
     *
     * @param inputs the tensors; an out may be its query
     * @throws IllegalArgumentException if tensors do not fit the module or each other; nothing was written then
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public void run(GeneralizedInputs inputs) {
        idle.use(() -> new GeneralizedForward(this), forward -> forward.run(inputs));
    }

    /**
     * Working memory for forwards of about these sizes.
     *
     * @param batch entries, at least 0
     * @param queries rows of all queries together, at least 0
     * @param keys rows of all sources together, at least 0
     * @return a forward, to be closed
     * @throws IllegalArgumentException if a size is negative
     * @throws OutOfMemoryError if there is no memory for it
     */
    public GeneralizedForward plan(long batch, long queries, long keys) {
        GeneralizedForward forward = new GeneralizedForward(this);
        forward.fit(Check.atLeast(0, batch, "batch"), Check.atLeast(0, queries, "queries"),
            Check.atLeast(0, keys, "keys"));
        return forward;
    }

    private static long rows(List<Tensor> sequences, String name) {
        long rows = 0;
        for (int i = 0; i < sequences.size(); i++) {
            rows += Operands.threeDims(sequences.get(i), name + "[" + i + "]").size(1);
        }
        return rows;
    }

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private Builder(long width, long heads) {
            super(width, heads);
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
