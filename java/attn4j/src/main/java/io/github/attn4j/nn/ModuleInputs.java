// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.tensor.Tensor;
import java.util.List;

/**
 * The tensors of a forward: what is attended with and to, the output, and whatever else is wanted. Mutable, to be used
 * again by the next forward without allocating; not thread-safe. Nothing is checked here, but by the forward.
 */
public final class ModuleInputs extends SequenceInputs<ModuleInputs> {
    Tensor mask;
    Tensor positions;
    KeyValueCache cache;
    List<PagedSequence> sequences;

    private ModuleInputs() {}

    /**
     * Inputs of self-attention.
     *
     * @param x [batch, rows, width]
     * @param out [batch, rows, width]; null where the module makes a new one
     * @return the inputs
     */
    public static ModuleInputs of(Tensor x, Tensor out) {
        return of(x, x, x, out);
    }

    /**
     * Inputs of attention to something else.
     *
     * @param query [batch, queries, width]
     * @param key [batch, keys, width]
     * @param value [batch, keys, width]
     * @param out [batch, queries, width]; null where the module makes a new one
     * @return the inputs
     */
    public static ModuleInputs of(Tensor query, Tensor key, Tensor value, Tensor out) {
        return new ModuleInputs().operands(query, key, value, out);
    }

    /**
     * Which keys are seen.
     *
     * @param tensor null for all, or BOOL, false hides: [queries, keys], [batch, queries, keys] or [batch, heads,
     *     queries, keys], in which batch, heads and queries may be 1 for all
     * @return this
     */
    public ModuleInputs mask(Tensor tensor) {
        mask = tensor;
        return this;
    }

    /**
     * Where the weights of each head go.
     *
     * @param tensor null for nowhere, or FLOAT32 [batch, heads, queries, keys] with innermost stride 1
     * @return this
     */
    public ModuleInputs weights(Tensor tensor) {
        weights = tensor;
        return this;
    }

    /**
     * For {@link GroupedQueryAttention}: keys and values of the tokens before, to which those of this forward are
     * appended.
     *
     * @param tokens null for none, or a cache of the module's key-value heads, of any type
     * @return this
     */
    public ModuleInputs cache(KeyValueCache tokens) {
        cache = tokens;
        return this;
    }

    /**
     * For {@link GroupedQueryAttention}: the same in pages, one sequence for each batch entry.
     *
     * @param ofEntries null for none, or sequences of one cache of the module's key-value heads, none of them twice
     * @return this
     */
    public ModuleInputs sequences(List<PagedSequence> ofEntries) {
        sequences = ofEntries;
        return this;
    }

    /** Whether there are tokens before those of this forward. */
    boolean isDecoding() {
        return cache != null || sequences != null;
    }

    /**
     * For {@link GroupedQueryAttention} with a rotary embedding: the position of each row.
     *
     * @param ids null for the length of the cache or sequence (0 without one) and those after it, or INT64 [batch,
     *     rows], or [1, rows] for all entries
     * @return this
     */
    public ModuleInputs positions(Tensor ids) {
        positions = ids;
        return this;
    }
}
