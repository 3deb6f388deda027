// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import java.util.Arrays;

/** The sizes of a tensor's dimensions, outermost first. Immutable. */
public final class Shape {
    /** The most dimensions a tensor may have. */
    public static final int MAX_RANK = 8;

    private final long[] sizes;
    private final long elements;

    private Shape(long[] sizes, long elements) {
        this.sizes = sizes;
        this.elements = elements;
    }

    /**
     * A shape of these sizes; no sizes give the shape of one element.
     *
     * @param sizes each at least 0; at most 8 of them
     * @return the shape
     * @throws IllegalArgumentException if a size is negative, there are too many, or the number of bytes could overflow
     */
    public static Shape of(long... sizes) {
        long[] copy = sizes.clone();
        if (copy.length > MAX_RANK) {
            throw new IllegalArgumentException("rank must be at most " + MAX_RANK + ": rank=" + copy.length);
        }
        long strided = 1;
        boolean empty = false;
        for (int i = 0; i < copy.length; i++) {
            if (copy[i] < 0) {
                throw new IllegalArgumentException("sizes must be at least 0: size(" + i + ")=" + copy[i] + " shape="
                    + Arrays.toString(copy));
            }
            empty |= copy[i] == 0;
            long size = Math.max(1, copy[i]);
            if (strided > Long.MAX_VALUE / Long.BYTES / size) {
                throw new IllegalArgumentException("the bytes of a shape must fit a long: shape="
                    + Arrays.toString(copy) + " limit=" + Long.MAX_VALUE);
            }
            strided *= size;
        }
        return new Shape(copy, empty ? 0 : strided);
    }

    /** {@return the number of dimensions} */
    public int rank() {
        return sizes.length;
    }

    /**
     * The size of a dimension.
     *
     * @param dim in [-rank, rank); -1 is the innermost
     * @return its size
     * @throws IllegalArgumentException if there is no such dimension
     */
    public long size(int dim) {
        return sizes[dim(dim)];
    }

    /** {@return the product of the sizes} */
    public long elements() {
        return elements;
    }

    /** {@return a copy of the sizes} */
    public long[] toArray() {
        return sizes.clone();
    }

    /** The index of a dimension that may be counted from the end. */
    int dim(int dim) {
        int index = dim < 0 ? dim + sizes.length : dim;
        if (index < 0 || index >= sizes.length) {
            throw new IllegalArgumentException("dim must be in [-rank, rank): dim=" + dim + " rank=" + sizes.length);
        }
        return index;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape && Arrays.equals(sizes, ((Shape) other).sizes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sizes);
    }

    @Override
    public String toString() {
        return Arrays.toString(sizes);
    }
}
