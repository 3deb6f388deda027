// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** An elementwise function. */
public enum Activation {
    /** x itself. */
    IDENTITY,
    /** x / 2 * (1 + erf(x / sqrt 2)), exact to float32, not the tanh approximation. */
    GELU;

    /**
     * Applies it with all threads of the pool.
     *
     * @param x [..., width]
     * @param out [..., width], may be x
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out) {
        run(x, out, 0);
    }

    /**
     * Applies it.
     *
     * @param x [..., width]
     * @param out [..., width], may be x
     * @param threads the most threads that work on it, 0 for all of the pool
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out, int threads) {
        run(x, out, Isa.DEFAULT, threads);
    }

    /**
     * Applies it, with a new tensor as result.
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

    void run(Tensor x, Tensor out, Isa isa, int threads) {
        View in = Check.matrix(x, "x");
        View result = Operands.likeOrSame(out, in);
        Layers.activate(ordinal(), in, result, isa, Check.threads(threads));
    }
}
