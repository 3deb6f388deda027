// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.Tensor;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The options that attention modules share. Builders are not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class ModuleBuilder<B extends ModuleBuilder<B>> extends LayerBuilder<B> {
    final long width;
    final long heads;
    double dropout;
    boolean bias = true;
    /** What a thread keeps between layers, at most where rows are many; less in tests. */
    long sliceBytes = Slices.BYTES;
    /** What else an attention gets: an instruction set in tests. */
    UnaryOperator<Attention.Builder> forced = UnaryOperator.identity();

    /** Heads that divide the width, each as wide as the next. */
    ModuleBuilder(long width, long heads) {
        this.width = Check.atLeast(1, width, "width");
        this.heads = Check.atLeast(1, heads, "heads");
    }

    /** The width of a head of a module whose heads share its width. */
    long headDim() {
        if (width % heads != 0) {
            throw new IllegalArgumentException("heads must divide width: width=" + width + " heads=" + heads);
        }
        return width / heads;
    }

    /**
     * The probability that a weight is dropped in training; eval() drops none.
     *
     * @param probability at least 0 and below 1
     * @return this
     * @throws IllegalArgumentException if it is not
     */
    public B dropout(double probability) {
        Attention.builder().dropout(probability);
        dropout = probability;
        return self();
    }

    /**
     * Projections without biases.
     *
     * @return this
     */
    public B withoutBias() {
        bias = false;
        return self();
    }

    /** A layer of these options with the weight and, if there is one, the bias of that name. */
    final Linear linear(Map<String, Tensor> state, String name) {
        return linear(state.get(name + ".weight"), state.get(name + ".bias"));
    }

    final Linear linear(Tensor weight, Tensor vector) {
        return Linear.builder(weight).bias(vector).threads(threads).isa(isa).build();
    }

    /** Attention of these options; drops weights if `dropping`. */
    final Attention.Builder attention(boolean dropping) {
        return forced.apply(Attention.builder()).threads(threads).dropout(dropping ? dropout : 0);
    }
}
