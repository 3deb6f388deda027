// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The sum of two matrices. Immutable and thread-safe. */
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
     * @param a [rows, width]
     * @param b [rows, width]
     * @param out [rows, width], may be a or b
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor a, Tensor b, Tensor out) {
        View first = Check.rows(a, "a", 2);
        View second = Operands.matrix(b, "b", first.size(0), "a.size(0)", first.size(1), "a.size(1)");
        View result = Operands.output(out, first.size(0), "a.size(0)", first.size(1), "a.size(1)");
        Check.sameOrDisjoint(result, "out", first, "a");
        Check.sameOrDisjoint(result, "out", second, "b");
        Layers.add(first, second, result, isa, threads);
    }

    /**
     * Adds, with a new tensor as result.
     *
     * @param scope owns the result
     * @param a [rows, width]
     * @param b [rows, width]
     * @return [rows, width]
     * @throws IllegalArgumentException if the tensors do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor a, Tensor b) {
        Tensor out = Operands.newRows(scope, Check.rows(a, "a", 2), a.size(1));
        run(a, b, out);
        return out;
    }

    /** Options of an addition. */
    public static final class Builder {
        private Isa isa = Isa.DEFAULT;
        private int threads;

        private Builder() {}

        /**
         * The most threads that work on a run, 0 (the default) for all of the pool.
         *
         * @param limit at least 0
         * @return this
         */
        public Builder threads(int limit) {
            threads = Check.threads(limit);
            return this;
        }

        /** Forces an instruction set, for tests. */
        Builder isa(Isa forced) {
            isa = forced;
            return this;
        }

        /** {@return the layer} */
        public Add build() {
            return new Add(this);
        }
    }
}
