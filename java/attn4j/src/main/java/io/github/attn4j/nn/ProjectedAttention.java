// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Map;

/**
 * A module of query, key and value projections, attention, and what follows it. Thread-safe, as {@link AttentionModule}
 * says. Inputs are FLOAT32 [batch, rows, width] with innermost stride 1 and rows at equal distances.
 *
 * <p>{@code apply} and {@code run} are the simple way; the working memory of earlier calls is used again, one for each
 * call under way at once. {@link #plan} gives working memory of one's own, whose runs allocate nothing.
 */
public abstract sealed class ProjectedAttention extends AttentionModule
        permits OneInputAttention, CrossAttention, ThreeInputAttention {
    final Blueprint blueprint;
    private final Idle<Forward> idle = new Idle<>();
    private volatile Blueprint.Layers layers;

    ProjectedAttention(String name, Blueprint blueprint) {
        super(blueprint.parameters(name), blueprint.options.dropout);
        this.blueprint = blueprint;
    }

    @Override
    final void assemble(Map<String, Tensor> checked) {
        layers = blueprint.layers(checked);
    }

    final Blueprint.Layers layers() {
        return loaded(layers);
    }

    /**
     * Runs with a new tensor as result.
     *
     * @param scope owns the result
     * @param inputs all but out, which is not looked at
     * @return [batch, queries, width]
     * @throws IllegalArgumentException if tensors do not fit the module or each other; the message has both values
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, ModuleInputs inputs) {
        Tensor before = inputs.out;
        try {
            inputs.out = Operands.newRows(scope, Operands.threeDims(inputs.query, "query"), blueprint.width());
            run(inputs);
            return inputs.out;
        } finally {
            inputs.out = before;
        }
    }

    /**
     * Runs with new tensors as result.
     *
     * @param scope owns the results
     * @param inputs all but out and weights, which are not looked at; without a cache
     * @return [batch, queries, width], and the weights of each head [batch, heads, queries, keys]
     * @throws IllegalArgumentException if tensors do not fit the module or each other; the message has both values
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public WeightedOutput applyWithWeights(TensorScope scope, ModuleInputs inputs) {
        Tensor before = inputs.weights;
        try {
            Operands.threeDims(inputs.query, "query");
            Operands.threeDims(inputs.key, "key");
            inputs.weights = scope.zeros(DType.FLOAT32, inputs.query.size(0), blueprint.heads(), inputs.query.size(1),
                inputs.key.size(1));
            return new WeightedOutput(apply(scope, inputs), inputs.weights);
        } finally {
            inputs.weights = before;
        }
    }

    /**
     * Runs into the out of the inputs.
     *
     * @param inputs the tensors; out may be the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other; nothing was written then
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public void run(ModuleInputs inputs) {
        idle.use(() -> new Forward(this), forward -> forward.run(inputs));
    }

    /**
     * Working memory for forwards of about these sizes.
     *
     * @param batch entries, at least 0
     * @param queries rows of a query, at least 0
     * @param keys rows of a key, at least 0
     * @return a forward, to be closed
     * @throws IllegalArgumentException if a size is negative
     * @throws OutOfMemoryError if there is no memory for it
     */
    public Forward plan(long batch, long queries, long keys) {
        Forward forward = new Forward(this);
        forward.fit(Check.atLeast(0, batch, "batch"), Check.atLeast(0, queries, "queries"),
            Check.atLeast(0, keys, "keys"));
        return forward;
    }

    /** What inputs must be in this module, beyond what all ask for. */
    void check(ModuleInputs in) {}

    /** A cache and positions are for decoders. */
    void checkDecoding(ModuleInputs in) {
        if (in.isDecoding() || in.positions != null) {
            throw new IllegalArgumentException("only GroupedQueryAttention takes a cache and positions: cache="
                + in.cache + " sequences=" + in.sequences + " positions=" + in.positions);
        }
    }
}
