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
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A strided view of native memory. The object is immutable and may be shared between threads; the elements are plain
 * memory, and ordering reads and writes of them is the caller's business.
 *
 * <p>Nothing is ever copied in silence: memory comes from a {@link TensorScope} or from a direct buffer of the user's
 * ({@code wrap}), views share it, and {@code copyFrom} and {@code copyTo} are the copies. A wrapped buffer is kept
 * alive by the tensor. Memory that is unmapped or freed by other means from under a tensor cannot be guarded: using it
 * then may end the process.
 */
public final class Tensor {
    static {
        View.opener(tensor -> ((Tensor) tensor).view);
    }

    private final DType dtype;
    private final Shape shape;
    private final View view;

    Tensor(DType dtype, Shape shape, View view) {
        this.dtype = dtype;
        this.shape = shape;
        this.view = view;
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
        return Views.slice(this, dim, from, to);
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
        return Views.select(this, dim, index);
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
        return Views.transpose(this, a, b);
    }

    /**
     * The dimensions in another order, without a copy.
     *
     * @param dims each dimension once
     * @return a view of the same rank
     * @throws IllegalArgumentException if a dimension is missing or there twice
     */
    public Tensor permute(int... dims) {
        return Views.permute(this, dims);
    }

    /**
     * Another shape of the same elements in the same order, without a copy.
     *
     * @param sizes of the same number of elements
     * @return a view
     * @throws IllegalArgumentException if the number differs, or if the strides allow it only with a copy
     */
    public Tensor reshape(long... sizes) {
        return Views.reshape(this, Shape.of(sizes));
    }

    /** {@return a view that is refused as an output} */
    public Tensor asReadOnly() {
        return Views.readOnly(this);
    }

    /**
     * Copies an array into this FLOAT32, BFLOAT16 or FLOAT16 tensor; 16 bits are rounded to the nearest, ties to even.
     *
     * @param values exactly as many as it has elements, in row-major order
     * @return this
     * @throws IllegalArgumentException if the number or the type differs, or it is read-only
     * @throws IllegalStateException if its scope is closed
     */
    public Tensor copyFrom(float[] values) {
        if (dtype == DType.FLOAT32 || !dtype.isFloat()) {
            return fill(values, values.length, DType.FLOAT32);
        }
        Check.writable(view, "this tensor");
        checkLength(values.length, shape);
        Casts.fromFloats(values, view);
        return this;
    }

    /**
     * Copies an array into this INT32 tensor.
     *
     * @param values exactly as many as it has elements, in row-major order
     * @return this
     * @throws IllegalArgumentException if the number or the type differs, or it is read-only
     * @throws IllegalStateException if its scope is closed
     */
    public Tensor copyFrom(int[] values) {
        return fill(values, values.length, DType.INT32);
    }

    /**
     * Copies an array into this INT64 tensor.
     *
     * @param values exactly as many as it has elements, in row-major order
     * @return this
     * @throws IllegalArgumentException if the number or the type differs, or it is read-only
     * @throws IllegalStateException if its scope is closed
     */
    public Tensor copyFrom(long[] values) {
        return fill(values, values.length, DType.INT64);
    }

    /**
     * Copies the bits of numbers into this BFLOAT16 or FLOAT16 tensor.
     *
     * @param values exactly as many as it has elements, in row-major order
     * @return this
     * @throws IllegalArgumentException if the number or the type differs, or it is read-only
     * @throws IllegalStateException if its scope is closed
     */
    public Tensor copyFrom(short[] values) {
        return fill(values, values.length, DType.BFLOAT16, DType.FLOAT16);
    }

    /**
     * Copies an array into this INT8 or BOOL tensor.
     *
     * @param values exactly as many as it has elements, in row-major order
     * @return this
     * @throws IllegalArgumentException if the number or the type differs, or it is read-only
     * @throws IllegalStateException if its scope is closed
     */
    public Tensor copyFrom(byte[] values) {
        return fill(values, values.length, DType.INT8, DType.BOOL);
    }

    /**
     * Copies an array into this BOOL tensor.
     *
     * @param values exactly as many as it has elements, in row-major order
     * @return this
     * @throws IllegalArgumentException if the number or the type differs, or it is read-only
     * @throws IllegalStateException if its scope is closed
     */
    public Tensor copyFrom(boolean[] values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (values[i] ? 1 : 0);
        }
        return fill(bytes, bytes.length, DType.BOOL);
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
        if (source.dtype != dtype || !source.shape.equals(shape)) {
            throw new IllegalArgumentException("source must have this type and shape: source=" + source + " this="
                + this);
        }
        Check.writable(view, "this tensor");
        Check.disjoint(view, "this tensor", from, "source");
        Memory.copy(from, view);
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
        if (!source.shape.equals(shape)) {
            throw new IllegalArgumentException("source must have this shape: source=" + source + " this=" + this);
        }
        Check.writable(view, "this tensor");
        Check.disjoint(view, "this tensor", from, "source");
        Casts.run(from, view);
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
        return scope.zeros(type, shape).castFrom(this);
    }

    /**
     * Copies all elements of this FLOAT32, BFLOAT16 or FLOAT16 tensor to an array, in row-major order; exact.
     *
     * @param values exactly as many as this has elements
     * @throws IllegalArgumentException if the number or the type differs
     * @throws IllegalStateException if its scope is closed
     */
    public void copyTo(float[] values) {
        if (dtype == DType.FLOAT32 || !dtype.isFloat()) {
            drain(values, values.length, DType.FLOAT32);
        } else {
            checkLength(values.length, shape);
            Casts.toFloats(view, values);
        }
    }

    /**
     * Copies all elements to an array, in row-major order.
     *
     * @param values exactly as many as this has elements
     * @throws IllegalArgumentException if the number or the type differs
     * @throws IllegalStateException if its scope is closed
     */
    public void copyTo(int[] values) {
        drain(values, values.length, DType.INT32);
    }

    /**
     * Copies all elements to an array, in row-major order.
     *
     * @param values exactly as many as this has elements
     * @throws IllegalArgumentException if the number or the type differs
     * @throws IllegalStateException if its scope is closed
     */
    public void copyTo(long[] values) {
        drain(values, values.length, DType.INT64);
    }

    /**
     * Copies the bits of all elements to an array, in row-major order.
     *
     * @param values exactly as many as this has elements
     * @throws IllegalArgumentException if the number or the type differs
     * @throws IllegalStateException if its scope is closed
     */
    public void copyTo(short[] values) {
        drain(values, values.length, DType.BFLOAT16, DType.FLOAT16);
    }

    /**
     * Copies all elements to an array, in row-major order.
     *
     * @param values exactly as many as this has elements
     * @throws IllegalArgumentException if the number or the type differs
     * @throws IllegalStateException if its scope is closed
     */
    public void copyTo(byte[] values) {
        drain(values, values.length, DType.INT8, DType.BOOL);
    }

    /**
     * A copy of all elements, in row-major order; exact.
     *
     * @return a new array
     * @throws IllegalArgumentException if this is not FLOAT32, BFLOAT16 or FLOAT16, or has more elements than an array can hold
     * @throws IllegalStateException if its scope is closed
     */
    public float[] toFloatArray() {
        float[] values = new float[arrayLength()];
        copyTo(values);
        return values;
    }

    /**
     * A copy of all elements, in row-major order.
     *
     * @return a new array
     * @throws IllegalArgumentException if this is not INT32 or has more elements than an array can hold
     * @throws IllegalStateException if its scope is closed
     */
    public int[] toIntArray() {
        int[] values = new int[arrayLength()];
        copyTo(values);
        return values;
    }

    /**
     * A copy of all elements, in row-major order.
     *
     * @return a new array
     * @throws IllegalArgumentException if this is not INT64 or has more elements than an array can hold
     * @throws IllegalStateException if its scope is closed
     */
    public long[] toLongArray() {
        long[] values = new long[arrayLength()];
        copyTo(values);
        return values;
    }

    /**
     * A copy of the bits of all elements, in row-major order.
     *
     * @return a new array
     * @throws IllegalArgumentException if this is not BFLOAT16 or FLOAT16 or has more elements than an array can hold
     * @throws IllegalStateException if its scope is closed
     */
    public short[] toShortArray() {
        short[] values = new short[arrayLength()];
        copyTo(values);
        return values;
    }

    /**
     * A copy of all elements, in row-major order.
     *
     * @return a new array
     * @throws IllegalArgumentException if this is not INT8 or BOOL or has more elements than an array can hold
     * @throws IllegalStateException if its scope is closed
     */
    public byte[] toByteArray() {
        byte[] values = new byte[arrayLength()];
        copyTo(values);
        return values;
    }

    /**
     * A copy of all elements, in row-major order.
     *
     * @return a new array
     * @throws IllegalArgumentException if this is not BOOL or has more elements than an array can hold
     * @throws IllegalStateException if its scope is closed
     */
    public boolean[] toBooleanArray() {
        boolean[] values = new boolean[arrayLength()];
        byte[] bytes = new byte[values.length];
        drain(bytes, bytes.length, DType.BOOL);
        for (int i = 0; i < bytes.length; i++) {
            values[i] = bytes[i] != 0;
        }
        return values;
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

    /** {@return type and shape} */
    @Override
    public String toString() {
        return dtype + shape.toString();
    }

    View view() {
        return view;
    }

    static void checkLength(int length, Shape shape) {
        if (length != shape.elements()) {
            throw new IllegalArgumentException("array must have exactly the elements of the shape: length=" + length
                + " elements=" + shape.elements() + " shape=" + shape);
        }
    }

    private Tensor fill(Object values, int length, DType... types) {
        checkType(types);
        Check.writable(view, "this tensor");
        checkLength(length, shape);
        Memory.fromArray(values, view);
        return this;
    }

    private void drain(Object values, int length, DType... types) {
        checkType(types);
        checkLength(length, shape);
        Memory.toArray(view, values);
    }

    private void checkType(DType... types) {
        if (!List.of(types).contains(dtype)) {
            throw new IllegalArgumentException("array must have the type of the tensor: array="
                + Stream.of(types).map(DType::name).collect(Collectors.joining(" or ")) + " dtype=" + dtype);
        }
    }

    private int arrayLength() {
        if (elements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a Java array cannot hold the elements: elements=" + elements()
                + " limit=" + (Integer.MAX_VALUE - 8) + ", copy slices");
        }
        return (int) elements();
    }
}
