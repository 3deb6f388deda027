// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** One block of native memory, as large as the largest that was asked for; nothing of it is kept when it grows. */
final class Scratch implements AutoCloseable {
    private final DType type;
    private TensorScope scope = TensorScope.open();
    private Tensor block;
    private long taken;

    Scratch(DType type) {
        this.type = type;
        block = scope.zeros(type, 0);
    }

    /** Makes room for so many elements, all to be taken anew. */
    Scratch begin(long elements) {
        taken = 0;
        if (block.elements() < elements) {
            TensorScope larger = TensorScope.open();
            block = larger.zeros(type, elements);
            scope.close();
            scope = larger;
        }
        return this;
    }

    /** The next elements of the block in this shape. */
    Tensor take(long... sizes) {
        long elements = 1;
        for (long size : sizes) {
            elements *= size;
        }
        taken += elements;
        return block.slice(0, taken - elements, taken).reshape(sizes);
    }

    @Override
    public void close() {
        scope.close();
    }
}
