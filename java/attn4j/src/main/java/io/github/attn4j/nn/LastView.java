// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;
import java.util.function.UnaryOperator;

/** A view of the tensor that came last: for the same tensor again nothing is made. */
final class LastView {
    private final UnaryOperator<Tensor> make;
    private Tensor source;
    private Tensor view;

    LastView(UnaryOperator<Tensor> make) {
        this.make = make;
    }

    /** Null for null. */
    Tensor of(Tensor tensor) {
        if (tensor != source) {
            view = tensor == null ? null : make.apply(tensor);
            source = tensor;
        }
        return view;
    }
}
