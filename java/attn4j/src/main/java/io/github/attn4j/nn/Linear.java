// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Objects;

/**
 * {@code out = activation(x weight + bias) + residual}. Immutable and thread-safe; it keeps its weights, which must
 * stay open.
 *
 * <p>Our own kernels multiply, and a row's result depends on that row alone, to the last bit. On the scalar instruction
 * set, or with the environment variable ATTN4J_GEMM=openblas, OpenBLAS does: the first run in a process then opens it
 * and sets it to one thread, process-wide.
 *
 * <p>With a weight of BFLOAT16, [out, in], x and out are FLOAT32 or BFLOAT16 each, x is rounded to BFLOAT16, sums are
 * float32, and it is always our own kernels that multiply.
 */
public final class Linear {
    private final View weight;
    private final View bias;
    private final WeightLayout layout;
    private final Activation activation;
    private final Isa isa;
    private final int threads;

    private Linear(Builder builder) {
        layout = builder.layout;
        activation = builder.activation;
        isa = builder.isa;
        threads = builder.threads;
        weight = Operands.weight(builder.weight, layout);
        bias = builder.bias == null ? null
            : Check.vector(builder.bias, "bias", View.FLOAT32, outFeatures(), "outFeatures");
    }

    /**
     * A builder of a layer without bias and activation.
     *
     * @param weight FLOAT32 or BFLOAT16 [out, in], or FLOAT32 [in, out] with {@link WeightLayout#IN_OUT}; innermost
     *     stride 1
     * @return the builder
     */
    public static Builder builder(Tensor weight) {
        return new Builder(weight);
    }

    /** {@return the width of x} */
    public long inFeatures() {
        return weight.size(layout == WeightLayout.OUT_IN ? 1 : 0);
    }

    /** {@return the width of the result} */
    public long outFeatures() {
        return weight.size(layout == WeightLayout.OUT_IN ? 0 : 1);
    }

    /**
     * Runs without a residual.
     *
     * @param x [..., inFeatures]
     * @param out [..., outFeatures], shares no element with x and the weights
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     * @throws UnsupportedOperationException if it needs OpenBLAS and there is none
     */
    public void run(Tensor x, Tensor out) {
        run(x, null, out);
    }

    /**
     * Runs.
     *
     * @param x [..., inFeatures]
     * @param residual null, or [..., outFeatures] to add
     * @param out [..., outFeatures], shares no element with the others
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     * @throws UnsupportedOperationException if it needs OpenBLAS and there is none
     */
    public void run(Tensor x, Tensor residual, Tensor out) {
        View in = matrix(x, "x", inFeatures(), "inFeatures");
        View result = Operands.output(matrix(out, "out", outFeatures(), "outFeatures"), in);
        View added = null;
        if (residual != null) {
            added = Operands.like(residual, "residual", result, "out");
            Check.disjoint(result, "out", added, "residual");
        }
        Check.disjoint(result, "out", in, "x");
        apart(result, "out");
        if (weight.type == View.BFLOAT16) {
            Layers.linearBf16(in, weight, bias, added, result, activation.ordinal(), isa, threads);
            return;
        }
        Layers.linear(in, weight, layout == WeightLayout.IN_OUT, bias, added, result, activation.ordinal(), isa,
            threads);
    }

    /**
     * Some rows of each batch entry: `rows` of them, from `fromX` on, to those from `fromOut` on. The caller has
     * checked that they are there, and that out is {@link #apart}.
     */
    void runRows(Tensor x, long fromX, Tensor out, long fromOut, long rows) {
        Layers.linearRows(Check.rows(x, "x", 3), fromX, weight, layout == WeightLayout.IN_OUT, bias,
            Check.rows(out, "out", 3), fromOut, rows, activation.ordinal(), isa, threads);
    }

    /**
     * So many batch entries: those from `fromX` on, to those from `fromOut` on. x and out are FLOAT32 of three
     * dimensions, of which batchDim, 0 or 1, is the batch; with 1 it is one entry, or all of both. The caller has
     * checked that they are there. Refuses what {@link #run(Tensor, Tensor)} refuses of the whole tensors.
     */
    void runEntries(Tensor x, long fromX, Tensor out, long fromOut, long entries, int batchDim) {
        View in = Operands.matrix(x, "x", inFeatures(), "inFeatures");
        View result = Operands.matrix(out, "out", outFeatures(), "outFeatures");
        Check.writable(result, "out");
        Check.disjoint(result, "out", in, "x");
        apart(result, "out");
        Layers.linearEntries(in, fromX, weight, layout == WeightLayout.IN_OUT, bias, result, fromOut, entries, batchDim,
            activation.ordinal(), isa, threads);
    }

    /** Refuses weights of a scope that is closed. */
    void open() {
        Check.open(weight);
        if (bias != null) {
            Check.open(bias);
        }
    }

    /** What would be refused of an output in the end, before anything is written: over the weights, or they closed. */
    void checkOut(View out, String name) {
        open();
        apart(out, name);
    }

    /** Refuses an output that shares an element with the weights. */
    void apart(View out, String name) {
        Check.disjoint(out, name, weight, "weight");
        if (bias != null) {
            Check.disjoint(out, name, bias, "bias");
        }
    }

    /**
     * Runs without a residual, with a new tensor as result.
     *
     * @param scope owns the result
     * @param x [..., inFeatures]
     * @return [..., outFeatures], of the type of x
     * @throws IllegalArgumentException if x does not fit
     * @throws IllegalStateException if a scope is closed
     * @throws UnsupportedOperationException if it needs OpenBLAS and there is none
     */
    public Tensor apply(TensorScope scope, Tensor x) {
        matrix(x, "x", inFeatures(), "inFeatures");
        Tensor out = Operands.newRows(scope, x, x.dtype(), outFeatures());
        run(x, out);
        return out;
    }

    /** x or out: BFLOAT16 too where the weight is. */
    private View matrix(Tensor tensor, String name, long width, String widthName) {
        return weight.type == View.BFLOAT16 ? Operands.wideMatrix(tensor, name, width, widthName)
            : Operands.matrix(tensor, name, width, widthName);
    }

    /** Options of a linear layer. */
    public static final class Builder extends LayerBuilder<Builder> {
        private final Tensor weight;
        private Tensor bias;
        private WeightLayout layout = WeightLayout.OUT_IN;
        private Activation activation = Activation.IDENTITY;

        private Builder(Tensor weight) {
            this.weight = Objects.requireNonNull(weight, "weight must not be null");
        }

        /**
         * How the weight lies in memory, [out, in] by default.
         *
         * @param order of its dimensions
         * @return this
         */
        public Builder layout(WeightLayout order) {
            layout = Objects.requireNonNull(order, "layout must not be null");
            return this;
        }

        /**
         * Added to each row, nothing by default.
         *
         * @param vector contiguous FLOAT32 [outFeatures], or null
         * @return this
         */
        public Builder bias(Tensor vector) {
            bias = vector;
            return this;
        }

        /**
         * Applied after the bias and before the residual, none by default.
         *
         * @param function the activation
         * @return this
         */
        public Builder activation(Activation function) {
            activation = Objects.requireNonNull(function, "activation must not be null");
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the layer
         * @throws IllegalArgumentException if weight and bias do not fit
         */
        public Linear build() {
            return new Linear(this);
        }
    }
}
