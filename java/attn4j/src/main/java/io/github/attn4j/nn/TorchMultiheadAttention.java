// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Map;

/**
 * PyTorch's nn.MultiheadAttention: the same options, the same state, the same numbers. Thread-safe, as {@link
 * AttentionModule} says. Sequences are [rows, batch, width] as there by default, or {@link Builder#batchFirst() batch
 * first}; {@code apply} also takes one without a batch, [rows, width]. Two things differ: a query that sees no key gets
 * 0 from attention, where PyTorch gives NaN; and a new module is in eval().
 *
 * <p>PyTorch names: in_proj_weight [3 embedDim, embedDim], or with another kdim or vdim q_proj_weight, k_proj_weight
 * and v_proj_weight; in_proj_bias [3 embedDim]; bias_k and bias_v [1, 1, embedDim]; out_proj.weight and out_proj.bias.
 */
public final class TorchMultiheadAttention extends AttentionModule {
    final TorchBlueprint blueprint;
    private final Idle<TorchForward> idle = new Idle<>();
    private volatile TorchBlueprint.Layers layers;

    private TorchMultiheadAttention(TorchBlueprint blueprint) {
        super(blueprint.parameters(), blueprint.options.dropout);
        this.blueprint = blueprint;
    }

    /**
     * A builder.
     *
     * @param embedDim width of queries and output, at least 1
     * @param numHeads at least 1, dividing embedDim
     * @return the builder
     * @throws IllegalArgumentException if one is less
     */
    public static Builder builder(long embedDim, long numHeads) {
        return new Builder(embedDim, numHeads);
    }

    @Override
    void assemble(Map<String, Tensor> checked) {
        layers = blueprint.layers(checked);
    }

    TorchBlueprint.Layers layers() {
        return loaded(layers);
    }

    /**
     * Runs with a new tensor as result: need_weights=False.
     *
     * @param scope owns the result
     * @param query of width embedDim
     * @param key of width kdim
     * @param value of width vdim
     * @return of the shape of the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, Tensor query, Tensor key, Tensor value) {
        return apply(scope, TorchInputs.of(query, key, value, null));
    }

    /**
     * Runs with a new tensor as result: need_weights=False.
     *
     * @param scope owns the result
     * @param inputs all but out and weights, which are not looked at
     * @return of the shape of the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, TorchInputs inputs) {
        return apply(scope, inputs, 0).out();
    }

    /**
     * Runs with new tensors as result: need_weights=True, average_attn_weights=False.
     *
     * @param scope owns the results
     * @param inputs all but out and weights, which are not looked at
     * @return of the shape of the query, and the weights of each head, [batch, heads, queries, columns]
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public WeightedOutput applyWithWeights(TensorScope scope, TorchInputs inputs) {
        return apply(scope, inputs, 4);
    }

    /**
     * Runs with new tensors as result: need_weights=True, as PyTorch does by default.
     *
     * @param scope owns the results
     * @param inputs all but out and weights, which are not looked at
     * @return of the shape of the query, and the mean of the weights over the heads, [batch, queries, columns]
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public WeightedOutput applyWithAveragedWeights(TensorScope scope, TorchInputs inputs) {
        return apply(scope, inputs, 3);
    }

    /**
     * Runs into the out, and the weights, of the inputs.
     *
     * @param inputs the tensors; out may be the query
     * @throws IllegalArgumentException if tensors do not fit the module or each other; nothing was written then
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public void run(TorchInputs inputs) {
        idle.use(() -> new TorchForward(this), forward -> forward.run(inputs));
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
    public TorchForward plan(long batch, long queries, long keys) {
        TorchForward forward = new TorchForward(this);
        forward.fit(Check.atLeast(0, batch, "batch"), Check.atLeast(0, queries, "queries"),
            Check.atLeast(0, keys, "keys"));
        return forward;
    }

    private WeightedOutput apply(TensorScope scope, TorchInputs in, int weightsRank) {
        int batchDim = blueprint.batchFirst ? 0 : 1;
        if (in.query.rank() == 2) {
            TorchInputs batched = Unbatched.batched(in, batchDim);
            return Unbatched.unbatched(apply(scope, batched, weightsRank), batchDim);
        }
        Operands.threeDims(in.query, "query");
        Operands.threeDims(in.key, "key");
        Tensor out = Operands.newRows(scope, in.query, blueprint.options.width);
        long batch = in.query.size(batchDim);
        long queries = in.query.size(1 - batchDim);
        long columns = in.key.size(1 - batchDim) + blueprint.extra();
        Tensor weights = weightsRank == 0 ? null
            : weightsRank == 3 ? scope.zeros(DType.FLOAT32, batch, queries, columns)
            : scope.zeros(DType.FLOAT32, batch, blueprint.options.heads, queries, columns);
        run(in.copy().operands(in.query, in.key, in.value, out).weights(weights));
        return new WeightedOutput(out, weights);
    }

    /** Options of the module, by their names in PyTorch. */
    public static final class Builder extends ModuleBuilder<Builder> {
        long kdim;
        long vdim;
        boolean addBiasKv;
        boolean addZeroAttn;
        boolean batchFirst;

        private Builder(long embedDim, long numHeads) {
            super(embedDim, numHeads);
            kdim = embedDim;
            vdim = embedDim;
        }

        /**
         * The width of keys, embedDim by default.
         *
         * @param size at least 1
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder kdim(long size) {
            kdim = Check.atLeast(1, size, "kdim");
            return this;
        }

        /**
         * The width of values, embedDim by default.
         *
         * @param size at least 1
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder vdim(long size) {
            vdim = Check.atLeast(1, size, "vdim");
            return this;
        }

        /**
         * Behind the keys and values stands a learned one, bias_k and bias_v.
         *
         * @return this
         */
        public Builder addBiasKv() {
            addBiasKv = true;
            return this;
        }

        /**
         * Behind all keys and values stands one of zeros.
         *
         * @return this
         */
        public Builder addZeroAttn() {
            addZeroAttn = true;
            return this;
        }

        /**
         * Sequences are [batch, rows, width].
         *
         * @return this
         */
        public Builder batchFirst() {
            batchFirst = true;
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if numHeads does not divide embedDim
         */
        public TorchMultiheadAttention build() {
            return new TorchMultiheadAttention(new TorchBlueprint(this));
        }
    }
}
