// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import io.github.attn4j.internal.View;
import java.nio.Buffer;
import java.nio.ByteOrder;

/** Tensors over the user's buffers. */
final class Wraps {
    private Wraps() {}

    /** `unit` is the bytes of an element of the buffer. */
    static Tensor wrap(Buffer buffer, ByteOrder order, DType dtype, int unit, long... sizes) {
        Shape shape = Shape.of(sizes);
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("buffer must be direct, a heap buffer would have to be copied: " + buffer
                + ", use TensorScope.of or copyFrom");
        }
        if (order != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException("buffer must have native byte order: order=" + order + " native="
                + ByteOrder.nativeOrder());
        }
        long remaining = (long) buffer.remaining() * unit;
        long needed = shape.elements() * dtype.bytes();
        if (remaining != needed) {
            throw new IllegalArgumentException("buffer must hold exactly the shape between position and limit: bytes="
                + remaining + " needed=" + needed + " shape=" + shape);
        }
        long offset = (long) buffer.position() * unit;
        return new Tensor(dtype, shape,
            View.ofBuffer(buffer, offset, dtype.ordinal(), buffer.isReadOnly(), shape.toArray()));
    }
}
