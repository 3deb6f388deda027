// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.Casts;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Memory;
import io.github.attn4j.internal.View;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/**
 * A strided view of native memory. The object is immutable and may be shared between threads; the elements are plain
 * memory, and ordering reads and writes of them is the caller's business.
 *
 * <p>Nothing is ever copied in silence: memory comes from a {@link TensorScope} or from a direct buffer of the user's
 * ({@code wrap}), views share it, and {@code copyFrom} and {@code copyTo} are the copies. A wrapped buffer is kept
 * alive by the tensor. Memory that is unmapped or freed by other means from under a tensor cannot be guarded: using it
 * then may end the process.
 */
public final class Tensor extends TensorElements {
    static {
        View.opener(tensor -> ((Tensor) tensor).view());
    }

    Tensor(DType dtype, Shape shape, View view) {
        super(dtype, shape, view);
    }

    /**
     * A FLOAT32 tensor over the elements of a direct buffer from its position to its limit, without a copy.
     *
     * @param buffer direct, in native byte order; a read-only one gives a read-only tensor
     * @param sizes the shape, of exactly as many elements
     * @return the tensor
     * @throws IllegalArgumentException if the buffer is on the heap, in the other byte order or of another size
     */
    public static Tensor wrap(FloatBuffer buffer, long... sizes) {
        return Wraps.wrap(buffer, buffer.order(), DType.FLOAT32, Float.BYTES, sizes);
    }

    /**
     * An INT32 tensor over the elements of a direct buffer from its position to its limit, without a copy.
     *
     * @param buffer direct, in native byte order; a read-only one gives a read-only tensor
     * @param sizes the shape, of exactly as many elements
     * @return the tensor
     * @throws IllegalArgumentException if the buffer is on the heap, in the other byte order or of another size
     */
    public static Tensor wrap(IntBuffer buffer, long... sizes) {
        return Wraps.wrap(buffer, buffer.order(), DType.INT32, Integer.BYTES, sizes);
    }

    /**
     * An INT64 tensor over the elements of a direct buffer from its position to its limit, without a copy.
     *
     * @param buffer direct, in native byte order; a read-only one gives a read-only tensor
     * @param sizes the shape, of exactly as many elements
     * @return the tensor
     * @throws IllegalArgumentException if the buffer is on the heap, in the other byte order or of another size
     */
    public static Tensor wrap(LongBuffer buffer, long... sizes) {
        return Wraps.wrap(buffer, buffer.order(), DType.INT64, Long.BYTES, sizes);
    }

    /**
     * A tensor over the bytes of a direct buffer, such as a mapped file, from its position to its limit, without a
     * copy.
     *
     * @param buffer direct, in native byte order (which a new ByteBuffer is not everywhere: call
     *     {@code order(ByteOrder.nativeOrder())}), its position aligned to the elements
     * @param dtype the type of the elements
     * @param sizes the shape, of exactly as many bytes
     * @return the tensor, read-only if the buffer is
     * @throws IllegalArgumentException if the buffer is on the heap, in the other byte order, misaligned or of another
     *     size
     */
    public static Tensor wrap(ByteBuffer buffer, DType dtype, long... sizes) {
        return Wraps.wrap(buffer, buffer.order(), dtype, 1, sizes);
    }

    /**
     * A tensor over a native {@code java.lang.foreign.MemorySegment}, of any size, without a copy. Once its arena is
     * closed, using the tensor is an IllegalStateException; closing it during a call cannot be guarded.
     *
     * @param segment native memory of exactly the bytes of the shape, aligned to the elements
     * @param dtype the type of the elements
     * @param sizes the shape
     * @return the tensor, read-only if the segment is
     * @throws UnsupportedOperationException before JDK 22
     * @throws IllegalArgumentException if it is no native segment, misaligned or of another size
     */
    public static Tensor wrapSegment(Object segment, DType dtype, long... sizes) {
        Shape shape = Shape.of(sizes);
        long bytes = shape.elements() * dtype.bytes();
        return new Tensor(dtype, shape, View.ofSegment(segment, dtype.ordinal(), shape.toArray(), bytes));
    }

    /**
     * Copies all elements of another tensor, whatever the strides of both.
     *
     * @param source of the same type and shape; shares no element with this one
     * @return this
     * @throws IllegalArgumentException if type or shape differ, they overlap, or this is read-only
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor copyFrom(Tensor source) {
        View from = View.of(source, "source");
        if (source.dtype() != dtype() || !source.shape().equals(shape())) {
            throw new IllegalArgumentException("source must have this type and shape: source=" + source + " this="
                + this);
        }
        Check.writable(view(), "this tensor");
        Check.disjoint(view(), "this tensor", from, "source");
        Memory.copy(from, view());
        return this;
    }

    /**
     * Converts all elements of another tensor to this one's type: rounded to the nearest, ties to even; too large
     * becomes infinite, and a NaN stays one.
     *
     * @param source FLOAT32, BFLOAT16 or FLOAT16 of the same shape; shares no element with this one
     * @return this
     * @throws IllegalArgumentException if shapes differ, a type is no floating-point one, they overlap, or this is
     *     read-only
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor castFrom(Tensor source) {
        View from = Check.floats(source, "source");
        Check.floats(this, "this tensor");
        if (!source.shape().equals(shape())) {
            throw new IllegalArgumentException("source must have this shape: source=" + source + " this=" + this);
        }
        Check.writable(view(), "this tensor");
        Check.disjoint(view(), "this tensor", from, "source");
        Casts.run(from, view());
        return this;
    }

    /**
     * All elements in another floating-point type, see {@link #castFrom}.
     *
     * @param scope owns the result
     * @param type FLOAT32, BFLOAT16 or FLOAT16
     * @return a new contiguous tensor, also where the type is this one's
     * @throws IllegalArgumentException if a type is no floating-point one
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor cast(TensorScope scope, DType type) {
        return scope.zeros(type, shape()).castFrom(this);
    }

    /**
     * One element of a floating-point tensor. For looking at single values: it crosses into native code.
     *
     * @param index one index for each dimension
     * @return the element
     * @throws IllegalArgumentException if an index is out of bounds or this is not FLOAT32, BFLOAT16 or FLOAT16
     * @throws IllegalStateException if its scope is closed
     */
    public float at(long... index) {
        return Views.element(this, index).toFloatArray()[0];
    }
}
