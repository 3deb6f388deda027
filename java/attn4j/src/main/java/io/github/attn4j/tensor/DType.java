// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

/** The type of a tensor's elements, in the byte order of the machine. */
public enum DType {
    /** IEEE 754 single precision. */
    FLOAT32(Float.BYTES),
    /** Signed, 32 bits. */
    INT32(Integer.BYTES),
    /** Signed, 64 bits. */
    INT64(Long.BYTES);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** {@return the bytes of one element} */
    public int bytes() {
        return bytes;
    }
}
