// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Shape;
import io.github.attn4j.tensor.Tensor;
import java.util.Map;

/**
 * What attention modules share: weights by their names in PyTorch, and training or not. A module is made by its
 * builder, then {@link #load loaded}; it begins in eval().
 *
 * <p>Thread-safe: in eval() any number of threads may call a module at once, and each call sees the weights of one
 * load. Changing between train() and eval() takes effect for calls that start later.
 *
 * <p>Weights are kept, not copied: the tensors must stay open while the module is used.
 */
public abstract sealed class AttentionModule
        permits ProjectedAttention, TorchMultiheadAttention, GeneralizedQueryAttention {
    private final Parameters parameters;
    private final double dropout;
    private volatile Map<String, Tensor> state;
    private volatile boolean training;

    AttentionModule(Parameters parameters, double dropout) {
        this.parameters = parameters;
        this.dropout = dropout;
    }

    /**
     * The names of the weights as PyTorch has them, with their shapes.
     *
     * @return in the order of the module; cannot be changed
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
        assemble(checked);
        state = checked;
    }

    /**
     * The weights by name, as they were loaded.
     *
     * @return in the order of the module; cannot be changed
     * @throws IllegalStateException if nothing was loaded
     */
    public Map<String, Tensor> state() {
        return loaded(state);
    }

    /** From now on calls drop weights, if the module was built with dropout, and must give a seed. */
    public void train() {
        training = true;
    }

    /** From now on calls drop nothing. */
    public void eval() {
        training = false;
    }

    /** {@return whether it is in train()} */
    public boolean isTraining() {
        return training;
    }

    /** Makes the layers of a new state, whose shapes are right, and puts them in place at once. */
    abstract void assemble(Map<String, Tensor> checked);

    /** What load() has put in place. */
    static <T> T loaded(T value) {
        if (value == null) {
            throw new IllegalStateException("this module has no weights: load() them first");
        }
        return value;
    }

    /** Whether a call that starts now drops weights. */
    final boolean drops(boolean seeded) {
        boolean drops = training && dropout > 0;
        if (drops && !seeded) {
            throw new IllegalStateException("a forward in train() needs a seed: dropout=" + dropout + " seed=none");
        }
        return drops;
    }
}
