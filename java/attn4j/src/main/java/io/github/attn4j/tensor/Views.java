// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.View;
import java.util.Arrays;

/** Tensors over the memory of others. */
final class Views {
    private Views() {}

    static Tensor slice(Tensor tensor, int dim, long from, long to) {
        int d = tensor.shape().dim(dim);
        if (from < 0 || from > to || to > tensor.size(d)) {
            throw new IllegalArgumentException("slice must be within [0, size]: from=" + from + " to=" + to + " size("
                + dim + ")=" + tensor.size(d));
        }
        long[] sizes = tensor.shape().toArray();
        sizes[d] = to - from;
        return view(tensor, from == to ? 0 : from * tensor.stride(d), sizes, strides(tensor));
    }

    static Tensor select(Tensor tensor, int dim, long index) {
        int d = tensor.shape().dim(dim);
        checkIndex(index, tensor.size(d), d);
        return view(tensor, index * tensor.stride(d), without(tensor.shape().toArray(), d),
            without(strides(tensor), d));
    }

    /** The one element at an index, as a tensor of rank 0. */
    static Tensor element(Tensor tensor, long... index) {
        if (index.length != tensor.rank()) {
            throw new IllegalArgumentException("index must have one entry for each dimension: entries=" + index.length
                + " rank=" + tensor.rank());
        }
        long offset = 0;
        for (int d = 0; d < index.length; d++) {
            checkIndex(index[d], tensor.size(d), d);
            offset += index[d] * tensor.stride(d);
        }
        return view(tensor, offset, new long[0], new long[0]);
    }

    static Tensor transpose(Tensor tensor, int a, int b) {
        int[] dims = new int[tensor.rank()];
        Arrays.setAll(dims, i -> i);
        int first = tensor.shape().dim(a);
        int second = tensor.shape().dim(b);
        dims[first] = second;
        dims[second] = first;
        return permute(tensor, dims);
    }

    static Tensor permute(Tensor tensor, int... dims) {
        int rank = tensor.rank();
        boolean[] seen = new boolean[rank];
        if (dims.length != rank) {
            throw new IllegalArgumentException("permute needs each dimension once: dims=" + Arrays.toString(dims)
                + " rank=" + rank);
        }
        long[] sizes = new long[rank];
        long[] strides = new long[rank];
        for (int i = 0; i < rank; i++) {
            int d = tensor.shape().dim(dims[i]);
            if (seen[d]) {
                throw new IllegalArgumentException("permute needs each dimension once: dims=" + Arrays.toString(dims)
                    + " rank=" + rank);
            }
            seen[d] = true;
            sizes[i] = tensor.size(d);
            strides[i] = tensor.stride(d);
        }
        return view(tensor, 0, sizes, strides);
    }

    static Tensor reshape(Tensor tensor, Shape shape) {
        if (shape.elements() != tensor.elements()) {
            throw new IllegalArgumentException("reshape must keep the number of elements: from=" + tensor.shape() + " ("
                + tensor.elements() + ") to=" + shape + " (" + shape.elements() + ")");
        }
        long[] sizes = shape.toArray();
        if (tensor.elements() == 0) {
            return view(tensor, 0, sizes, View.contiguous(sizes));
        }
        long[] strides = reshapedStrides(tensor, sizes);
        if (strides == null) {
            throw new IllegalArgumentException("these strides allow the reshape only with a copy: from="
                + tensor.shape() + " strides=" + Arrays.toString(strides(tensor)) + " to=" + shape
                + ", copy into scope.zeros(dtype, shape) first");
        }
        return view(tensor, 0, sizes, strides);
    }

    static Tensor readOnly(Tensor tensor) {
        View view = tensor.view();
        return new Tensor(tensor.dtype(), tensor.shape(),
            new View(view.owner, view.address, view.type, true, tensor.shape().toArray(), strides(tensor)));
    }

    /**
     * Walks both shapes from the innermost dimension: runs of old dimensions that lie without gaps behind each other
     * may be cut anew. Null if a new dimension would span a gap.
     */
    private static long[] reshapedStrides(Tensor tensor, long[] sizes) {
        long[] strides = new long[sizes.length];
        int next = sizes.length - 1;
        long run = 1;
        long runStride = 1;
        long filled = 1;
        for (int d = tensor.rank() - 1; d >= -1; d--) {
            boolean ends = d < 0;
            if (!ends && tensor.size(d) == 1) {
                continue;
            }
            if (ends || run > 1 && tensor.stride(d) != run * runStride || run == 1) {
                if (run > 1 && filled != run) {
                    return null;
                }
                run = 1;
                filled = 1;
                if (!ends) {
                    runStride = tensor.stride(d);
                }
            }
            if (ends) {
                break;
            }
            run *= tensor.size(d);
            while (next >= 0 && filled * sizes[next] <= run) {
                strides[next] = filled * runStride;
                filled *= sizes[next--];
            }
        }
        // What is left has size 1.
        for (; next >= 0; next--) {
            strides[next] = filled;
        }
        return strides;
    }

    private static Tensor view(Tensor tensor, long offset, long[] sizes, long[] strides) {
        View view = tensor.view();
        return new Tensor(tensor.dtype(), Shape.of(sizes), new View(view.owner,
            view.address + offset * view.elementBytes(), view.type, view.readOnly, sizes, strides));
    }

    private static void checkIndex(long index, long size, int dim) {
        if (index < 0 || index >= size) {
            throw new IllegalArgumentException("index must be in [0, size): index=" + index + " size(" + dim + ")="
                + size);
        }
    }

    private static long[] strides(Tensor tensor) {
        long[] strides = new long[tensor.rank()];
        Arrays.setAll(strides, tensor::stride);
        return strides;
    }

    private static long[] without(long[] values, int index) {
        long[] rest = new long[values.length - 1];
        System.arraycopy(values, 0, rest, 0, index);
        System.arraycopy(values, index + 1, rest, index, rest.length - index);
        return rest;
    }
}
