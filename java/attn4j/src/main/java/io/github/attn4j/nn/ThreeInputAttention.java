// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** Attention with a query, a key and a value, and a mask. Thread-safe, as {@link AttentionModule} says. */
public abstract sealed class ThreeInputAttention extends ProjectedAttention
        permits MultiHeadAttention, MultiHeadedAttention {
    ThreeInputAttention(String name, Blueprint blueprint) {
        super(name, blueprint);
    }

    /**
     * Runs with a new tensor as result.
     *
     * @param scope owns the result
     * @param query [batch, queries, width]
     * @param key [batch, keys, width]
     * @param value [batch, keys, width]
     * @return [batch, queries, width]
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, Tensor query, Tensor key, Tensor value) {
        return apply(scope, ModuleInputs.of(query, key, value, null));
    }

    /**
     * Runs with a mask and a new tensor as result.
     *
     * @param scope owns the result
     * @param query [batch, queries, width]
     * @param key [batch, keys, width]
     * @param value [batch, keys, width]
     * @param mask BOOL [batch, queries, keys], batch and queries may be 1 for all; false hides
     * @return [batch, queries, width]
     * @throws IllegalArgumentException if tensors do not fit the module or each other
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or a seed is missing in train()
     */
    public Tensor apply(TensorScope scope, Tensor query, Tensor key, Tensor value, Tensor mask) {
        return apply(scope, ModuleInputs.of(query, key, value, null).mask(mask));
    }
}
