// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * A sigmoid gate: {@code out[..., c] = x[..., c] * sigmoid(gate[..., c / group])} (arXiv:2505.06708), where group is
 * how many times wider x is than the gate: 1 for a gate of each element, a head's width for one of each head. Immutable
 * and thread-safe.
 */
public final class Gate {
    private final Isa isa;
    private final int threads;

    private Gate(Builder builder) {
        isa = builder.isa;
        threads = builder.threads;
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Runs.
     *
     * @param x [..., width]
     * @param gate [..., gates], gates dividing width
     * @param out [..., width], may be x, and a gate of each element
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor gate, Tensor out) {
        View in = Check.matrix(x, "x");
        View by = Check.matrix(gate, "gate");
        if (by.width() < 1 || in.width() % by.width() != 0) {
            throw new IllegalArgumentException("the gate's width must divide x's: gate.width=" + by.width()
                + " x.width=" + in.width());
        }
        View result = Operands.likeOrSame(out, in);
        Operands.sameRows(by, "gate", in, "x");
        if (by.width() == in.width()) {
            Check.sameOrDisjoint(result, "out", by, "gate");
        } else {
            Check.disjoint(result, "out", by, "gate");
        }
        Layers.gate(in, by, result, isa, threads);
    }

    /**
     * Runs, with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [..., width]
     * @param gate [..., gates], gates dividing width
     * @return [..., width]
     * @throws IllegalArgumentException if the tensors do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor x, Tensor gate) {
        Tensor out = Operands.newRows(scope, x, Check.matrix(x, "x").width());
        run(x, gate, out);
        return out;
    }

    /** Options of a gate. */
    public static final class Builder extends LayerBuilder<Builder> {
        private Builder() {}

        /** {@return the layer} */
        public Gate build() {
            return new Gate(this);
        }
    }
}
