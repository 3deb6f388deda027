// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

/** The type of a tensor's elements, in the byte order of the machine. */
public enum DType {
    /** IEEE 754 single precision. */
    FLOAT32(Float.BYTES),
    /** Signed, 32 bits. */
    INT32(Integer.BYTES),
    /** Signed, 64 bits. */
    INT64(Long.BYTES),
    /** The upper half of a FLOAT32. */
    BFLOAT16(Short.BYTES),
    /** IEEE 754 half precision. */
    FLOAT16(Short.BYTES),
    /** A byte, 0 for false. */
    BOOL(Byte.BYTES),
    /** Signed, 8 bits. */
    INT8(Byte.BYTES);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** {@return the bytes of one element} */
    public int bytes() {
        return bytes;
    }

    /** {@return whether it is one of FLOAT32, BFLOAT16 and FLOAT16} */
    public boolean isFloat() {
        return this == FLOAT32 || this == BFLOAT16 || this == FLOAT16;
    }
}
