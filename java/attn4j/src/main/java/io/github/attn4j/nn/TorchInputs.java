// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/**
 * The tensors of a forward of {@link TorchMultiheadAttention}, as PyTorch's nn.MultiheadAttention takes them. Mutable,
 * to be used again by the next forward without allocating; not thread-safe. Nothing is checked here, but by the
 * forward.
 *
 * <p>Sequences are [rows, batch, width], or [batch, rows, width] if the module is batchFirst(). If query, key and value
 * are one Tensor object, or key and value, they are projected at once.
 */
public final class TorchInputs extends SequenceInputs<TorchInputs> {
    Tensor keyPaddingMask;
    Tensor attnMask;
    boolean causal;

    private TorchInputs() {}

    /**
     * Inputs without anything optional.
     *
     * @param query of width embedDim
     * @param key of width kdim
     * @param value of width vdim, with the rows of the key
     * @param out of width embedDim, with the rows of the query; null where the module makes a new one
     * @return the inputs
     */
    public static TorchInputs of(Tensor query, Tensor key, Tensor value, Tensor out) {
        return new TorchInputs().operands(query, key, value, out);
    }

    TorchInputs copy() {
        TorchInputs copy = of(query, key, value, out).keyPaddingMask(keyPaddingMask).attnMask(attnMask)
            .isCausal(causal).weights(weights).seed(seed);
        copy.seeded = seeded;
        return copy;
    }

    /**
     * Keys that are padding.
     *
     * @param tensor null for none, or [batch, keys], BOOL (true hides) or FLOAT32 (added to the scores)
     * @return this
     */
    public TorchInputs keyPaddingMask(Tensor tensor) {
        keyPaddingMask = tensor;
        return this;
    }

    /**
     * Which keys a query does not see.
     *
     * @param tensor null for all, or [queries, keys] or [batch * heads, queries, keys], BOOL (true hides) or FLOAT32
     *     (added to the scores)
     * @return this
     */
    public TorchInputs attnMask(Tensor tensor) {
        attnMask = tensor;
        return this;
    }

    /**
     * Whether a query sees no later key, row 0 of the query standing at row 0 of the key. PyTorch wants the mask
     * besides; here it is not needed, and if it is given both hold.
     *
     * @param value whether it is so
     * @return this
     */
    public TorchInputs isCausal(boolean value) {
        causal = value;
        return this;
    }

    /**
     * Where the weights go. Behind the keys there is a column for the bias row, if the module has one, and one for the
     * row of zeros, if it has that.
     *
     * @param tensor null for nowhere, or FLOAT32: [batch, queries, columns] for the mean over heads, [batch, heads,
     *     queries, columns] for those of each head
     * @return this
     */
    public TorchInputs weights(Tensor tensor) {
        weights = tensor;
        return this;
    }
}
