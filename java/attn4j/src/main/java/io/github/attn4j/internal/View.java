// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.nio.Buffer;
import java.util.Arrays;
import java.util.function.Function;

/**
 * What native code needs of a tensor: address, sizes, strides (in elements), element type, owner. Immutable; the arrays
 * are shared and never written. Tensors hand theirs out through {@link #of}, so that none of it is public.
 */
public final class View {
    /** Element type codes, the ordinals of DType. */
    public static final int FLOAT32 = 0, INT32 = 1, INT64 = 2, BFLOAT16 = 3, FLOAT16 = 4, BOOL = 5, INT8 = 6;

    private static final String[] TYPES = {"FLOAT32", "INT32", "INT64", "BFLOAT16", "FLOAT16", "BOOL", "INT8"};
    private static final int[] BYTES = {4, 4, 8, 2, 2, 1, 1};
    private static Function<Object, View> opener;

    public final Owner owner;
    public final long address;
    public final int type;
    public final boolean readOnly;
    final long[] sizes;
    final long[] strides;
    /** One past the last byte; the address where there are no elements. */
    final long end;

    /** A view of memory of that owner; takes over the arrays. */
    public View(Owner owner, long address, int type, boolean readOnly, long[] sizes, long[] strides) {
        this.owner = owner;
        this.address = address;
        this.type = type;
        this.readOnly = readOnly;
        this.sizes = sizes;
        this.strides = strides;
        this.end = end();
    }

    private long end() {
        long last = 0;
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] == 0) {
                return address;
            }
            last += (sizes[i] - 1) * strides[i];
        }
        return address + (last + 1) * BYTES[type];
    }

    /** Memory of a direct buffer, `offset` bytes behind its first element, for as long as the view is reachable. */
    public static View ofBuffer(Buffer buffer, long offset, int type, boolean readOnly, long[] sizes) {
        long address = Native.bufferAddress(buffer) + offset;
        if (address % BYTES[type] != 0) {
            throw new IllegalArgumentException("buffer must be aligned to its elements: address=0x"
                + Long.toHexString(address) + " dtype=" + TYPES[type]);
        }
        return new View(Owner.keeping(buffer, null), address, type, readOnly, sizes, contiguous(sizes));
    }

    /** Memory of a native MemorySegment, JDK 22 and up. */
    public static View ofSegment(Object segment, int type, long[] sizes, long bytes) {
        Owner owner = Owner.keeping(segment, Segments.alive(segment));
        long address = Segments.address(segment, bytes, BYTES[type]);
        return new View(owner, address, type, Segments.readOnly(segment), sizes, contiguous(sizes));
    }

    /** Row-major strides of these sizes. */
    public static long[] contiguous(long[] sizes) {
        long[] strides = new long[sizes.length];
        long stride = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, sizes[i]);
        }
        return strides;
    }

    /** Called once, by Tensor. */
    public static void opener(Function<Object, View> function) {
        opener = function;
    }

    /** The view of a tensor; NullPointerException with its name if there is none. */
    public static View of(Object tensor, String name) {
        if (tensor == null) {
            throw new NullPointerException(name + " must not be null");
        }
        return Opened.OPENER.apply(tensor);
    }

    /** Loaded after a tensor exists and so after {@link View#opener}; final, so that the JIT sees through it. */
    private static final class Opened {
        static final Function<Object, View> OPENER = opener;
    }

    public int rank() {
        return sizes.length;
    }

    public long size(int dim) {
        return sizes[dim];
    }

    public long stride(int dim) {
        return strides[dim];
    }

    public int elementBytes() {
        return BYTES[type];
    }

    public String typeName() {
        return typeName(type);
    }

    public static String typeName(int type) {
        return TYPES[type];
    }

    static int bytes(int type) {
        return BYTES[type];
    }

    /** Whether it holds floating-point numbers, of 16 or 32 bits. */
    public boolean isFloat() {
        return type == FLOAT32 || type == BFLOAT16 || type == FLOAT16;
    }

    /** The attn4j_dtype of elements of attention's operands. */
    int dtypeCode() {
        return dtypeCode(type);
    }

    static int dtypeCode(int type) {
        return type == INT8 ? Native.ATTN4J_INT8 : floatCode(type);
    }

    /** The attn4j_dtype of floating-point elements. */
    int floatCode() {
        return floatCode(type);
    }

    static int floatCode(int type) {
        return type == FLOAT32 ? Native.ATTN4J_F32 : type == BFLOAT16 ? Native.ATTN4J_BF16 : Native.ATTN4J_F16;
    }

    public long elements() {
        long elements = 1;
        for (long size : sizes) {
            elements *= size;
        }
        return elements;
    }

    /** Whether the innermost stride is 1 and all other dimensions together are one, of rows at equal distances. */
    public boolean isMatrix() {
        int last = sizes.length - 1;
        if (elements() == 0 || last < 0) {
            return true;
        }
        if (sizes[last] > 1 && strides[last] != 1) {
            return false;
        }
        long expected = -1;
        for (int d = last - 1; d >= 0; d--) {
            if (sizes[d] > 1) {
                if (expected >= 0 && strides[d] != expected) {
                    return false;
                }
                expected = strides[d] * sizes[d];
            }
        }
        return true;
    }

    /** Of a matrix: the product of all sizes but the last. */
    public long rows() {
        long rows = 1;
        for (int d = 0; d < sizes.length - 1; d++) {
            rows *= sizes[d];
        }
        return rows;
    }

    /** Of a matrix: the last size, 1 if there is none. */
    public long width() {
        return sizes.length == 0 ? 1 : sizes[sizes.length - 1];
    }

    /** Of a matrix: the distance of its rows; that of a single row does not matter and is its width. */
    long rowStride() {
        for (int d = sizes.length - 2; d >= 0; d--) {
            if (sizes[d] > 1) {
                return strides[d];
            }
        }
        return Math.max(1, width());
    }

    public boolean isContiguous() {
        long expected = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            if (sizes[i] > 1 && strides[i] != expected) {
                return elements() == 0;
            }
            expected *= Math.max(1, sizes[i]);
        }
        return true;
    }

    /** The sizes as messages show them: [2, 3]. */
    public String shape() {
        return Arrays.toString(sizes);
    }
}
