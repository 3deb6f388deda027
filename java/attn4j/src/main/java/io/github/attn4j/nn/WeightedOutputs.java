// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import java.util.List;

/**
 * The outputs of a module with several queries and what its heads looked at. Immutable and thread-safe.
 *
 * @param outs for each of the queries a tensor of its shape
 * @param weights [batch, heads, all queries, all keys], one sequence behind the other; after dropout
 */
public record WeightedOutputs(List<Tensor> outs, Tensor weights) {
    /**
     * Outputs.
     *
     * @param outs for each of the queries a tensor of its shape
     * @param weights [batch, heads, all queries, all keys]
     */
    public WeightedOutputs {
        outs = List.copyOf(outs);
    }
}
