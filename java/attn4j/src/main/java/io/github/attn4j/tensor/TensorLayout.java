// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.View;

/** What a tensor is like: type, sizes, strides. */
abstract class TensorLayout {
    private final DType dtype;
    private final Shape shape;
    private final View view;

    TensorLayout(DType dtype, Shape shape, View view) {
        this.dtype = dtype;
        this.shape = shape;
        this.view = view;
    }

    /** {@return the type of the elements} */
    public DType dtype() {
        return dtype;
    }

    /** {@return the sizes of the dimensions} */
    public Shape shape() {
        return shape;
    }

    /** {@return the number of dimensions} */
    public int rank() {
        return shape.rank();
    }

    /**
     * The size of a dimension.
     *
     * @param dim in [-rank, rank)
     * @return its size
     * @throws IllegalArgumentException if there is no such dimension
     */
    public long size(int dim) {
        return shape.size(dim);
    }

    /**
     * The distance, in elements, from one index of a dimension to the next.
     *
     * @param dim in [-rank, rank)
     * @return the stride
     * @throws IllegalArgumentException if there is no such dimension
     */
    public long stride(int dim) {
        return view.stride(shape.dim(dim));
    }

    /** {@return the number of elements} */
    public long elements() {
        return shape.elements();
    }

    /** {@return whether the elements lie in row-major order without gaps} */
    public boolean isContiguous() {
        return view.isContiguous();
    }

    /** {@return whether it is refused as an output} */
    public boolean isReadOnly() {
        return view.readOnly;
    }

    /** {@return type and shape} */
    @Override
    public String toString() {
        return dtype + shape.toString();
    }

    final View view() {
        return view;
    }
}
