// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** Each row scaled to length 1: {@code out = x / max(|x|, epsilon)}. Immutable and thread-safe. */
public final class Normalize {
    private final double epsilon;
    private final Isa isa;
    private final int threads;

    private Normalize(Builder builder) {
        epsilon = builder.epsilon;
        isa = builder.isa;
        threads = builder.threads;
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Scales each row.
     *
     * @param x [..., width]
     * @param out [..., width], may be x
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out) {
        View in = Check.matrix(x, "x");
        View result = Operands.likeOrSame(out, in);
        Layers.normalize(in, epsilon, result, isa, threads);
    }

    /**
     * Scales each row, with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [..., width]
     * @return [..., width]
     * @throws IllegalArgumentException if x does not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor x) {
        Tensor out = Operands.newRows(scope, x, Check.matrix(x, "x").width());
        run(x, out);
        return out;
    }

    /** Options of a normalisation. */
    public static final class Builder extends NormBuilder<Builder> {
        private Builder() {
            super(1e-12);
        }

        /** {@return the layer} */
        public Normalize build() {
            return new Normalize(this);
        }
    }
}
