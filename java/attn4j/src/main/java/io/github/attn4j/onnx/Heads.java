// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.onnx;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The two forms of operands: [batch, heads, rows, size], and [batch, rows, heads * size]. */
final class Heads {
    private Heads() {}

    /** The form with four dimensions, without a copy. */
    static Tensor split(Tensor tensor, String name, long heads, String headsName) {
        if (tensor.rank() == 4) {
            if (heads > 0 && heads != tensor.size(1)) {
                throw new IllegalArgumentException(name + " must have the heads of the attribute: " + name + ".size(1)="
                    + tensor.size(1) + " " + headsName + "=" + heads);
            }
            return tensor;
        }
        if (tensor.rank() != 3) {
            throw new IllegalArgumentException(name + " must have rank 3 or 4: rank=" + tensor.rank() + " shape="
                + tensor.shape());
        }
        if (heads < 1 || tensor.size(2) % heads != 0) {
            throw new IllegalArgumentException(headsName + " must be given and divide " + name + ".size(2): "
                + headsName + "=" + heads + " " + name + ".size(2)=" + tensor.size(2));
        }
        return tensor.reshape(tensor.size(0), tensor.size(1), heads, tensor.size(2) / heads).transpose(1, 2);
    }

    /** A new result [batch, heads, rows, size] that lies in memory in the one form or the other. */
    static Tensor zeros(TensorScope scope, DType type, boolean split, long batch, long heads, long rows, long size) {
        return split ? scope.zeros(type, batch, rows, heads, size).transpose(1, 2)
            : scope.zeros(type, batch, heads, rows, size);
    }

    /** The form with three dimensions of a result that was made so. */
    static Tensor merge(Tensor tensor) {
        return tensor.transpose(1, 2).reshape(tensor.size(0), tensor.size(2), tensor.size(1) * tensor.size(3));
    }

    static long positive(long value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1: " + name + "=" + value);
        }
        return value;
    }
}
