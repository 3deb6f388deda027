// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Shape;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Map;

/**
 * The feed-forward of Llama and its kin, {@code out = down(silu(gate(x)) * up(x)) + residual} (arXiv:2002.05202), with
 * {@code silu(g) = g * sigmoid(g)}. Thread-safe; it has working memory of its own, so calls wait for each other, and
 * one with no more rows than those before allocates nothing.
 *
 * <p>PyTorch names: gate_proj.weight and up_proj.weight [hidden, width], down_proj.weight [width, hidden]. Weights are
 * kept, not copied: the tensors must stay open while the module is used.
 */
public final class SwiGlu implements AutoCloseable {
    private final Parameters parameters;
    private final Builder options;
    private final Scratch memory = new Scratch(DType.FLOAT32);
    private Linear gate;
    private Linear up;
    private Linear down;
    private Tensor gates;
    private Tensor ups;
    private boolean closed;

    private SwiGlu(Builder builder) {
        options = builder;
        parameters = new Parameters("SwiGlu").linear("gate_proj", builder.width, builder.hidden, false)
            .linear("up_proj", builder.width, builder.hidden, false)
            .linear("down_proj", builder.hidden, builder.width, false);
    }

    /**
     * A builder.
     *
     * @param width of input and output, at least 1
     * @param hidden features between them, at least 1
     * @return the builder
     * @throws IllegalArgumentException if a number is less
     */
    public static Builder builder(long width, long hidden) {
        return new Builder(width, hidden);
    }

    /**
     * The names of the weights as PyTorch has them, with their shapes.
     *
     * @return cannot be changed
     */
    public Map<String, Shape> parameters() {
        return parameters.shapes();
    }

    /**
     * Takes these weights. Everything is checked before anything changes.
     *
     * @param weights exactly the entries of {@link #parameters}, FLOAT32, with innermost stride 1; the map itself is
     *     not kept
     * @throws IllegalArgumentException if entries are missing, unexpected or misshapen; the message lists all of them,
     *     and the module stays as it was
     */
    public synchronized void load(Map<String, Tensor> weights) {
        Map<String, Tensor> checked = parameters.check(weights);
        gate = options.linear(checked.get("gate_proj.weight"));
        up = options.linear(checked.get("up_proj.weight"));
        down = options.linear(checked.get("down_proj.weight"));
    }

    /**
     * Runs.
     *
     * @param x [..., width]
     * @param residual null, or [..., width] to add, which may be x
     * @param out [..., width], shares no element with the others
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or this is
     * @throws OutOfMemoryError if there is no memory for more rows
     */
    public synchronized void run(Tensor x, Tensor residual, Tensor out) {
        if (closed) {
            throw new IllegalStateException("this SwiGlu is closed");
        }
        Linear last = AttentionModule.loaded(down);
        View in = Operands.matrix(x, "x", options.width, "width");
        View result = Operands.output(out, in, options.width, "width");
        Check.disjoint(result, "out", in, "x");
        if (residual != null) {
            Check.disjoint(result, "out", Operands.like(residual, "residual", result, "out"), "residual");
        }
        fit(x, in.rows());
        gate.run(x, gates);
        up.run(x, ups);
        Layers.swiglu(View.of(gates, "gate"), View.of(ups, "up"), View.of(gates, "out"), options.isa,
            options.threads);
        last.run(gates, residual, out);
    }

    /**
     * Runs without a residual, with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [..., width]
     * @return [..., width]
     * @throws IllegalArgumentException if x does not fit
     * @throws IllegalStateException if nothing was loaded, a scope is closed, or this is
     */
    public Tensor apply(TensorScope scope, Tensor x) {
        Tensor out = Operands.newRows(scope, x, Operands.matrix(x, "x", options.width, "width").width());
        run(x, null, out);
        return out;
    }

    /** Frees the working memory. Does nothing the second time. */
    @Override
    public synchronized void close() {
        closed = true;
        memory.close();
    }

    /** Room for these rows, in the shape of x but for the width. */
    private void fit(Tensor x, long rows) {
        if (gates != null && sameRows(x, gates)) {
            return;
        }
        gates = null;
        long[] sizes = x.shape().toArray();
        sizes[sizes.length - 1] = options.hidden;
        memory.begin(2 * rows * options.hidden);
        Tensor first = memory.take(sizes);
        ups = memory.take(sizes);
        gates = first;
    }

    private static boolean sameRows(Tensor a, Tensor b) {
        boolean same = a.rank() == b.rank();
        for (int dim = 0; same && dim < a.rank() - 1; dim++) {
            same = a.size(dim) == b.size(dim);
        }
        return same;
    }

    /** Options of the module. */
    public static final class Builder extends LayerBuilder<Builder> {
        private final long width;
        private final long hidden;

        private Builder(long width, long hidden) {
            this.width = Check.atLeast(1, width, "width");
            this.hidden = Check.atLeast(1, hidden, "hidden");
        }

        /** {@return the module, without weights} */
        public SwiGlu build() {
            Builder copy = new Builder(width, hidden);
            copy.isa = isa;
            copy.threads = threads;
            return new SwiGlu(copy);
        }

        private Linear linear(Tensor weight) {
            return Linear.builder(weight).threads(threads).isa(isa).build();
        }
    }
}
