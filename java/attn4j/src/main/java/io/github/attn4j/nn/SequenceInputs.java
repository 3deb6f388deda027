// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/**
 * The inputs of a forward with one query, one key and one value. Not thread-safe, as {@link ForwardInputs} says.
 *
 * @param <B> the inputs themselves
 */
public abstract sealed class SequenceInputs<B extends SequenceInputs<B>> extends ForwardInputs<B>
        permits ModuleInputs, TorchInputs {
    Tensor query;
    Tensor key;
    Tensor value;
    Tensor out;

    SequenceInputs() {}

    /**
     * Other operands, all else as it is.
     *
     * @param newQuery query
     * @param newKey key
     * @param newValue value
     * @param newOut out
     * @return this
     */
    public final B operands(Tensor newQuery, Tensor newKey, Tensor newValue, Tensor newOut) {
        query = newQuery;
        key = newKey;
        value = newValue;
        out = newOut;
        return self();
    }
}
