// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** Attention of a sequence to itself. Thread-safe, as {@link AttentionModule} says. */
public abstract sealed class OneInputAttention extends ProjectedAttention
        permits MultiHeadSelfAttention, SelfAttention, GatedSelfAttention, GroupedQueryAttention {
    OneInputAttention(String name, Blueprint blueprint) {
        super(name, blueprint);
    }

    /**
     * Runs with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [batch, rows, width]
     * @return [batch, rows, width]
     * @throws IllegalArgumentException if x does not fit the module
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, Tensor x) {
        return apply(scope, ModuleInputs.of(x, null));
    }

    @Override
    void check(ModuleInputs in) {
        if (in.key != in.query || in.value != in.query) {
            throw new IllegalArgumentException("self-attention has one input: query=" + in.query + " key=" + in.key
                + " value=" + in.value);
        }
    }
}
