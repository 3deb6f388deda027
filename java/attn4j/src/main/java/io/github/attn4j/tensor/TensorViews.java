// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.View;

/** Other views of a tensor's memory, none of which copies. */
abstract class TensorViews extends TensorLayout {
    TensorViews(DType dtype, Shape shape, View view) {
        super(dtype, shape, view);
    }

    final Tensor self() {
        return (Tensor) this;
    }

    /**
     * The indices [from, to) of a dimension, without a copy.
     *
     * @param dim in [-rank, rank)
     * @param from the first index
     * @param to one past the last
     * @return a view of the same rank
     * @throws IllegalArgumentException unless 0 &lt;= from &lt;= to &lt;= size(dim)
     */
    public Tensor slice(int dim, long from, long to) {
        return Views.slice(self(), dim, from, to);
    }

    /**
     * One index of a dimension, without a copy.
     *
     * @param dim in [-rank, rank)
     * @param index in [0, size(dim))
     * @return a view without that dimension
     * @throws IllegalArgumentException if there is no such dimension or index
     */
    public Tensor select(int dim, long index) {
        return Views.select(self(), dim, index);
    }

    /**
     * Two dimensions exchanged, without a copy: {@code transpose(1, 2)} gives [batch, heads, queries, headDim] of
     * [batch, queries, heads, headDim].
     *
     * @param a in [-rank, rank)
     * @param b in [-rank, rank)
     * @return a view of the same rank
     * @throws IllegalArgumentException if there is no such dimension
     */
    public Tensor transpose(int a, int b) {
        return Views.transpose(self(), a, b);
    }

    /**
     * The dimensions in another order, without a copy.
     *
     * @param dims each dimension once
     * @return a view of the same rank
     * @throws IllegalArgumentException if a dimension is missing or there twice
     */
    public Tensor permute(int... dims) {
        return Views.permute(self(), dims);
    }

    /**
     * Another shape of the same elements in the same order, without a copy.
     *
     * @param sizes of the same number of elements
     * @return a view
     * @throws IllegalArgumentException if the number differs, or if the strides allow it only with a copy
     */
    public Tensor reshape(long... sizes) {
        return Views.reshape(self(), Shape.of(sizes));
    }

    /** {@return a view that is refused as an output} */
    public Tensor asReadOnly() {
        return Views.readOnly(self());
    }
}
