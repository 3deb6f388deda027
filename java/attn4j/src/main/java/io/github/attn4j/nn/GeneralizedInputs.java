// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import java.util.List;

/**
 * The tensors of a forward of {@link GeneralizedQueryAttention}. Mutable, to be used again by the next forward without
 * allocating; not thread-safe. Nothing is checked here, but by the forward.
 *
 * <p>Mask and weights are over all queries and all keys: the rows of the queries count one sequence behind the other,
 * and so do the keys of the sources.
 */
public final class GeneralizedInputs extends ForwardInputs<GeneralizedInputs> {
    List<Tensor> queries;
    List<Tensor> sources;
    List<Tensor> outs;
    Tensor mask;

    private GeneralizedInputs() {}

    /**
     * Inputs without anything optional.
     *
     * @param queries each [batch, queries of its own, width]
     * @param sources each [batch, keys of its own, width]; none gives what a query that sees nothing gives
     * @param outs for each of the queries a tensor of its shape; null where the module makes new ones
     * @return the inputs
     */
    public static GeneralizedInputs of(List<Tensor> queries, List<Tensor> sources, List<Tensor> outs) {
        return new GeneralizedInputs().operands(queries, sources, outs);
    }

    /**
     * Other operands, all else as it is.
     *
     * @param newQueries queries
     * @param newSources sources
     * @param newOuts outs
     * @return this
     */
    public GeneralizedInputs operands(List<Tensor> newQueries, List<Tensor> newSources, List<Tensor> newOuts) {
        queries = newQueries;
        sources = newSources;
        outs = newOuts;
        return this;
    }

    /**
     * Which keys are seen.
     *
     * @param tensor null for all, or BOOL, false hides: [all queries, all keys], [batch, all queries, all keys] or
     *     [batch, heads, all queries, all keys], in which batch, heads and queries may be 1 for all
     * @return this
     */
    public GeneralizedInputs mask(Tensor tensor) {
        mask = tensor;
        return this;
    }

    /**
     * Where the weights of each head go.
     *
     * @param tensor null for nowhere, or FLOAT32 [batch, heads, all queries, all keys] with innermost stride 1
     * @return this
     */
    public GeneralizedInputs weights(Tensor tensor) {
        weights = tensor;
        return this;
    }
}
