// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The sum of two tensors of one shape. Immutable and thread-safe. */
public final class Add {
    private final Isa isa;
    private final int threads;

    private Add(Builder builder) {
        isa = builder.isa;
        threads = builder.threads;
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * {@code out = a + b}.
     *
     * @param a [..., width]
     * @param b [..., width]
     * @param out [..., width], may be a or b
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor a, Tensor b, Tensor out) {
        View first = Check.matrix(a, "a");
        View second = Operands.like(b, "b", first, "a");
        View result = Operands.like(out, "out", first, "a");
        Check.writable(result, "out");
        Check.sameOrDisjoint(result, "out", first, "a");
        Check.sameOrDisjoint(result, "out", second, "b");
        Layers.add(first, second, result, isa, threads);
    }

    /**
     * Adds, with a new tensor as result.
     *
     * @param scope owns the result
     * @param a [..., width]
     * @param b [..., width]
     * @return [..., width]
     * @throws IllegalArgumentException if the tensors do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor a, Tensor b) {
        Tensor out = Operands.newRows(scope, a, Check.matrix(a, "a").width());
        run(a, b, out);
        return out;
    }

    /** Options of an addition. */
    public static final class Builder extends LayerBuilder<Builder> {
        private Builder() {}

        /** {@return the layer} */
        public Add build() {
            return new Add(this);
        }
    }
}
