// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import java.util.Objects;

/**
 * Self-attention in which groups of query heads share a key-value head (arXiv:2305.13245), as decoders have it: rotary
 * embedding, key-value cache, causal, window, RMS norm of queries and keys, gate, each if asked for. Thread-safe, as
 * {@link AttentionModule} says; a cache belongs to one sequence of calls.
 *
 * <p>PyTorch names: q_proj.weight [heads * headDim, width], k_proj.weight and v_proj.weight [kvHeads * headDim, width],
 * o_proj.weight [width, heads * headDim]; q_norm.weight and k_norm.weight [headDim]; gate_proj.weight [heads * headDim
 * or heads, width]. With biases also those.
 */
public final class GroupedQueryAttention extends OneInputAttention {
    private GroupedQueryAttention(Builder builder) {
        super("GroupedQueryAttention", builder.blueprint());
    }

    /**
     * A builder of a module without biases, as decoders are.
     *
     * @param width of input and output, at least 1
     * @param heads at least 1
     * @param kvHeads at least 1, dividing heads
     * @return the builder
     * @throws IllegalArgumentException if a number does not fit
     */
    public static Builder builder(long width, long heads, long kvHeads) {
        return new Builder(width, heads, kvHeads);
    }

    /**
     * Appends the keys and values of these tokens to a cache, and attends to all it holds.
     *
     * @param scope owns the result
     * @param x [batch, rows, width], the tokens that follow those of the cache
     * @param cache of this batch, kvHeads and headDim, to whose type keys and values are rounded; keys are in it as
     *     they were turned
     * @return [batch, rows, width]
     * @throws IllegalArgumentException if x or the cache does not fit the module; nothing was appended then
     * @throws IllegalStateException if nothing was loaded, a scope or the cache is closed, or the window of the first
     *     token reaches keys that a ring overwrites with the last; nothing was appended then
     */
    public Tensor apply(TensorScope scope, Tensor x, KeyValueCache cache) {
        return apply(scope, ModuleInputs.of(x, null).cache(Objects.requireNonNull(cache, "cache must not be null")));
    }

    /**
     * The same with a sequence of a paged cache for each batch entry.
     *
     * @param scope owns the result
     * @param x [batch, rows, width], the tokens that follow those of the sequences
     * @param sequences of one cache of this kvHeads and headDim, none of them twice
     * @return [batch, rows, width]
     * @throws IllegalArgumentException if x or the sequences do not fit the module; nothing was appended then
     * @throws IllegalStateException if too few pages are free, nothing was loaded, or a scope, a sequence or the cache
     *     is closed; nothing was appended then
     */
    public Tensor apply(TensorScope scope, Tensor x, List<PagedSequence> sequences) {
        Objects.requireNonNull(sequences, "sequences must not be null");
        return apply(scope, ModuleInputs.of(x, null).sequences(sequences));
    }

    @Override
    void checkDecoding(ModuleInputs in) {
        if (in.positions != null && blueprint.rotary == null) {
            throw new IllegalArgumentException("positions are for a rotary embedding: positions=" + in.positions
                + " rotary=none");
        }
    }

    /** Options of the module. */
    public static final class Builder extends ModuleBuilder<Builder> {
        private final long kvHeads;
        private long headDim;
        private Gating gating;
        private double epsilon;
        private RotaryEmbedding rotary;
        private boolean causal;
        private long left = -1;
        private long right = -1;

        private Builder(long width, long heads, long kvHeads) {
            super(width, heads);
            this.kvHeads = Check.atLeast(1, kvHeads, "kvHeads");
            bias = false;
        }

        /**
         * Projections with biases.
         *
         * @return this
         */
        public Builder withBias() {
            bias = true;
            return this;
        }

        /**
         * The width of a head, width / heads by default.
         *
         * @param size at least 1
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder headDim(long size) {
            headDim = Check.atLeast(1, size, "headDim");
            return this;
        }

        /**
         * Turns queries and keys by their positions, after their norms; not by default.
         *
         * @param embedding for at least as many positions as there will be tokens
         * @return this
         */
        public Builder rotary(RotaryEmbedding embedding) {
            rotary = embedding;
            return this;
        }

        /**
         * A token sees no later one.
         *
         * @return this
         */
        public Builder causal() {
            causal = true;
            return this;
        }

        /**
         * A token sees only those near it, see {@link Attention.Builder#window}.
         *
         * @param before how many before it, at least 0; -1 for all
         * @param after how many after it, at least 0; -1 for all
         * @return this
         * @throws IllegalArgumentException if one is below -1
         */
        public Builder window(long before, long after) {
            Attention.builder().window(before, after);
            left = before;
            right = after;
            return this;
        }

        /**
         * An RMS norm of each head's queries and keys, by the weights q_norm and k_norm.
         *
         * @param addedToMeanSquare epsilon, positive and finite; often 1e-6
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder queryKeyNorm(double addedToMeanSquare) {
            epsilon = Check.positive(addedToMeanSquare, "epsilon");
            return this;
        }

        /**
         * A sigmoid gate on the heads' output before the output projection, by the weight gate_proj; none by default.
         *
         * @param kind the gating, null for none
         * @return this
         */
        public Builder gating(Gating kind) {
            gating = kind;
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the module, without weights
         * @throws IllegalArgumentException if the heads do not divide the width and no headDim is set, or kvHeads does
         *     not divide heads
         */
        public GroupedQueryAttention build() {
            return new GroupedQueryAttention(this);
        }

        @Override
        long headDim() {
            return headDim > 0 ? headDim : super.headDim();
        }

        private Blueprint blueprint() {
            if (heads % kvHeads != 0) {
                throw new IllegalArgumentException("kvHeads must divide heads: heads=" + heads + " kvHeads=" + kvHeads);
            }
            Blueprint blueprint = new Blueprint(this, "q_proj", "k_proj", "v_proj").out("o_proj");
            blueprint.kvHeads = kvHeads;
            blueprint.rotary = rotary;
            if (epsilon > 0) {
                blueprint.norms("q_norm", "k_norm", epsilon);
            }
            if (gating != null) {
                blueprint.gate("gate_proj", gating.numbers(heads, heads * headDim()));
            }
            boolean hides = causal;
            long before = left;
            long after = right;
            blueprint.windowBefore = before;
            blueprint.visible = attention -> (hides ? attention.causal() : attention).window(before, after);
            return blueprint;
        }
    }
}
