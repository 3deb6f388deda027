// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.Adoption;
import io.github.attn4j.internal.Blocks;
import io.github.attn4j.internal.Memory;
import io.github.attn4j.internal.Owner;
import io.github.attn4j.internal.View;

/**
 * Owns the native memory of the tensors made in it. Thread-safe.
 *
 * <p>Close it, best by try-with-resources, to free them all; a tensor used afterwards is an
 * {@link IllegalStateException}. A scope that is forgotten is freed some time after neither it nor one of its tensors
 * is reachable.
 */
public final class TensorScope implements AutoCloseable {
    static {
        Adoption.by(new Adoption() {
            @Override
            protected void adopt(Object scope, Runnable freed) {
                ((TensorScope) scope).adopt(freed);
            }

            @Override
            protected Object wrap(Object scope, long address, int type, long[] sizes) {
                return ((TensorScope) scope).wrap(address, type, sizes);
            }
        });
    }

    private final Blocks blocks = new Blocks();
    private final Owner owner = Owner.of("TensorScope", blocks);

    private TensorScope() {}

    /** {@return a new scope without tensors} */
    public static TensorScope open() {
        return new TensorScope();
    }

    /** {@return whether it was not closed yet} */
    public boolean isOpen() {
        return !owner.isClosed();
    }

    /**
     * A contiguous tensor of zeros, aligned to 64 bytes.
     *
     * @param dtype the type of its elements
     * @param sizes its shape
     * @return the tensor
     * @throws IllegalArgumentException if a size is negative or their product overflows
     * @throws IllegalStateException if the scope is closed
     * @throws OutOfMemoryError if there is no memory for it
     */
    public Tensor zeros(DType dtype, long... sizes) {
        return zeros(dtype, Shape.of(sizes));
    }

    /**
     * A contiguous tensor of zeros, aligned to 64 bytes.
     *
     * @param dtype the type of its elements
     * @param shape its shape
     * @return the tensor
     * @throws IllegalStateException if the scope is closed
     * @throws OutOfMemoryError if there is no memory for it
     */
    public Tensor zeros(DType dtype, Shape shape) {
        owner.acquire();
        try {
            long address = blocks.allocate(shape.elements() * dtype.bytes());
            long[] sizes = shape.toArray();
            return new Tensor(dtype, shape,
                new View(owner, address, dtype.ordinal(), false, sizes, View.contiguous(sizes)));
        } finally {
            owner.release();
        }
    }

    /**
     * A contiguous FLOAT32 tensor with a copy of these values.
     *
     * @param values as many as the shape has elements, innermost dimension first
     * @param sizes its shape
     * @return the tensor
     * @throws IllegalArgumentException if the shape has another number of elements
     * @throws IllegalStateException if the scope is closed
     */
    public Tensor of(float[] values, long... sizes) {
        return filled(DType.FLOAT32, values, values.length, sizes);
    }

    /**
     * A contiguous INT32 tensor with a copy of these values.
     *
     * @param values as many as the shape has elements
     * @param sizes its shape
     * @return the tensor
     * @throws IllegalArgumentException if the shape has another number of elements
     * @throws IllegalStateException if the scope is closed
     */
    public Tensor of(int[] values, long... sizes) {
        return filled(DType.INT32, values, values.length, sizes);
    }

    /**
     * A contiguous INT64 tensor with a copy of these values.
     *
     * @param values as many as the shape has elements
     * @param sizes its shape
     * @return the tensor
     * @throws IllegalArgumentException if the shape has another number of elements
     * @throws IllegalStateException if the scope is closed
     */
    public Tensor of(long[] values, long... sizes) {
        return filled(DType.INT64, values, values.length, sizes);
    }

    /**
     * A contiguous BOOL tensor with a copy of these values.
     *
     * @param values as many as the shape has elements
     * @param sizes its shape
     * @return the tensor
     * @throws IllegalArgumentException if the shape has another number of elements
     * @throws IllegalStateException if the scope is closed
     */
    public Tensor of(boolean[] values, long... sizes) {
        Shape shape = Shape.of(sizes);
        Tensor.checkLength(values.length, shape);
        return zeros(DType.BOOL, shape).copyFrom(values);
    }

    /**
     * Frees the memory of all its tensors. Does nothing the second time.
     *
     * @throws IllegalStateException if a call that uses one of them is under way; nothing is freed then
     */
    @Override
    public void close() {
        owner.close();
    }

    private void adopt(Runnable freed) {
        try {
            owner.acquire();
        } catch (IllegalStateException e) {
            freed.run();
            throw e;
        }
        try {
            blocks.add(freed);
        } finally {
            owner.release();
        }
    }

    private Tensor wrap(long address, int type, long[] sizes) {
        return new Tensor(DType.values()[type], Shape.of(sizes),
            new View(owner, address, type, true, sizes, View.contiguous(sizes)));
    }

    private Tensor filled(DType dtype, Object values, int length, long... sizes) {
        Shape shape = Shape.of(sizes);
        Tensor.checkLength(length, shape);
        Tensor tensor = zeros(dtype, shape);
        Memory.fromArray(values, tensor.view());
        return tensor;
    }
}
