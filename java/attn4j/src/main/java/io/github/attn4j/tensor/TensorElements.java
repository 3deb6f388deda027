// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.Casts;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Memory;
import io.github.attn4j.internal.View;

/** Copies between a tensor's elements and arrays, in row-major order. */
abstract class TensorElements extends TensorViews {
    TensorElements(DType dtype, Shape shape, View view) {
        super(dtype, shape, view);
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
        if (dtype() == DType.FLOAT32 || !dtype().isFloat()) {
            return fill(values, values.length, DType.FLOAT32);
        }
        Check.writable(view(), "this tensor");
        checkLength(values.length, shape());
        Casts.fromFloats(values, view());
        return self();
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
     * Copies all elements of this FLOAT32, BFLOAT16 or FLOAT16 tensor to an array, in row-major order; exact.
     *
     * @param values exactly as many as this has elements
     * @throws IllegalArgumentException if the number or the type differs
     * @throws IllegalStateException if its scope is closed
     */
    public void copyTo(float[] values) {
        if (dtype() == DType.FLOAT32 || !dtype().isFloat()) {
            drain(values, values.length, DType.FLOAT32);
        } else {
            checkLength(values.length, shape());
            Casts.toFloats(view(), values);
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
     * @throws IllegalArgumentException if this is not FLOAT32, BFLOAT16 or FLOAT16, or has more elements than an array
     *     can hold
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

    static void checkLength(int length, Shape shape) {
        if (length != shape.elements()) {
            throw new IllegalArgumentException("array must have exactly the elements of the shape: length=" + length
                + " elements=" + shape.elements() + " shape=" + shape);
        }
    }

    private Tensor fill(Object values, int length, DType type) {
        return fill(values, length, type, type);
    }

    private Tensor fill(Object values, int length, DType type, DType other) {
        checkType(type, other);
        Check.writable(view(), "this tensor");
        checkLength(length, shape());
        Memory.fromArray(values, view());
        return self();
    }

    private void drain(Object values, int length, DType type) {
        drain(values, length, type, type);
    }

    private void drain(Object values, int length, DType type, DType other) {
        checkType(type, other);
        checkLength(length, shape());
        Memory.toArray(view(), values);
    }

    private void checkType(DType type, DType other) {
        if (dtype() != type && dtype() != other) {
            throw new IllegalArgumentException("array must have the type of the tensor: array=" + type
                + (other == type ? "" : " or " + other) + " dtype=" + dtype());
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
