// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.tensor.DType;

/** The types of elements by their names in the format; little-endian, as every machine that attn4j is built for. */
enum ElementType {
    F32(DType.FLOAT32), BF16(DType.BFLOAT16), F16(DType.FLOAT16), BOOL(DType.BOOL), I8(DType.INT8), I32(DType.INT32),
    I64(DType.INT64),
    F64(64), U64(64), C64(64), U32(32), I16(16), U16(16), U8(8), F8_E4M3(8), F8_E5M2(8), F8_E8M0(8), F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8), F6_E2M3(6), F6_E3M2(6), F4(4);

    /** The most bits of one element. */
    static final int MAX_BITS = 64;

    final int bits;
    /** Null if tensors have no such type. */
    final DType dtype;

    ElementType(DType dtype) {
        this.dtype = dtype;
        bits = 8 * dtype.bytes();
    }

    ElementType(int bits) {
        this.bits = bits;
        dtype = null;
    }

    /** Null if there is none of that name here; the format grows. */
    static ElementType of(String name) {
        for (ElementType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }

    static ElementType of(DType dtype) {
        for (ElementType type : values()) {
            if (type.dtype == dtype) {
                return type;
            }
        }
        throw new IllegalArgumentException("the format has no such type: dtype=" + dtype);
    }
}
