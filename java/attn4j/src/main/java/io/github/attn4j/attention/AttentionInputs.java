// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/**
 * The tensors of a call of attention: q, k, v and out, and whatever else is wanted. Mutable, to be used again by the
 * next call without allocating; not thread-safe. Nothing is checked here, but by the call.
 *
 * <p>A bias or mask broadcasts as NumPy does it: from rank 1 to 4, and each dimension is 1 or full. Its innermost
 * stride is 1. In a ragged run its batch is that of the sequences, and its queries and keys are counted within each
 * sequence, none of which may be longer; likewise the scores.
 */
public final class AttentionInputs {
    Tensor q;
    Tensor k;
    Tensor v;
    Tensor out;
    Tensor cuQueries;
    Tensor cuKeys;
    Tensor kScales;
    Tensor vScales;
    Tensor pages;
    Tensor lse;
    Tensor keyLengths;
    Tensor offsets;
    Tensor bias;
    Tensor mask;
    Tensor slopes;
    Tensor sinks;
    Tensor scores;
    long seed;
    Cancellation cancellation;
    /** Of a run over some of the keys, in whose plan it is said: how many, all if negative. */
    long keys = -1;
    /** The first of them among the rows of k and v, and among the keys of bias and mask. */
    long firstKey;
    long firstScore;

    AttentionInputs() {}

    /**
     * Inputs without anything optional.
     *
     * @param q queries [batch, heads, queries, headDim]; ragged: [totalQueries, heads, headDim]
     * @param k keys [batch, kvHeads, keys, headDim]; ragged: [totalKeys, kvHeads, headDim]; or in {@link #pages pages}
     * @param v values [batch, kvHeads, keys, valueDim]; ragged: [totalKeys, kvHeads, valueDim]; or in pages
     * @param out result [batch, heads, queries, valueDim]; ragged: [totalQueries, heads, valueDim]. May be null for
     *     {@link Attention#apply(io.github.attn4j.tensor.TensorScope, AttentionInputs)}
     * @return the inputs
     */
    public static AttentionInputs of(Tensor q, Tensor k, Tensor v, Tensor out) {
        return new AttentionInputs().operands(q, k, v, out);
    }

    /** Whether cumulative lengths are given. */
    boolean isRagged() {
        return cuQueries != null || cuKeys != null;
    }

    /**
     * Other operands, all else as it is.
     *
     * @param queries q
     * @param keys k
     * @param values v
     * @param result out
     * @return this
     */
    public AttentionInputs operands(Tensor queries, Tensor keys, Tensor values, Tensor result) {
        q = queries;
        k = keys;
        v = values;
        out = result;
        return this;
    }

    /**
     * Forgets everything, so that no tensor is kept.
     *
     * @return this
     */
    public AttentionInputs clear() {
        operands(null, null, null, null).cumulative(null, null).lse(null).keyLengths(null).offsets(null);
        scales(null, null).pages(null);
        keys(-1, 0, 0);
        return bias(null).mask(null).slopes(null).sinks(null).scores(null).seed(0).cancellation(null);
    }

    /** Takes so many of the keys, from one on of k and v and from one on of bias and mask. */
    void keys(long count, long first, long inScores) {
        keys = count;
        firstKey = first;
        firstScore = inScores;
    }

    /**
     * Where the sequences of a ragged call begin.
     *
     * @param queries INT64 [sequences + 1]: sequence b has the queries queries[b] to queries[b + 1] - 1; null if not
     *     ragged
     * @param keys INT64 [sequences + 1], likewise for the keys; in {@link #pages pages} only how many of each there are
     *     counts
     * @return this
     */
    public AttentionInputs cumulative(Tensor queries, Tensor keys) {
        cuQueries = queries;
        cuKeys = keys;
        return this;
    }

    /**
     * What the numbers of INT8 keys and values are multiplied by.
     *
     * @param ofKeys FLOAT32 [batch, kvHeads, keys] (ragged: [kvHeads, totalKeys]; in pages: [pages, kvHeads, pageSize])
     *     with innermost stride 1 where k is INT8, else null
     * @param ofValues likewise for v
     * @return this
     */
    public AttentionInputs scales(Tensor ofKeys, Tensor ofValues) {
        kScales = ofKeys;
        vScales = ofValues;
        return this;
    }

    /**
     * Where the keys and values lie if not end to end: k is [pages, kvHeads, pageSize, headDim] and v [pages, kvHeads,
     * pageSize, valueDim] then, and key j of entry b is row j % pageSize of page table[b, j / pageSize]. There are as
     * many keys as the table has room for; {@link #keyLengths}, or in a ragged run the differences of the cumulative
     * lengths, say how many of them are there.
     *
     * @param table null for end to end, or INT64 [batch, columns], ragged [sequences, columns]; innermost stride 1
     * @return this
     */
    public AttentionInputs pages(Tensor table) {
        pages = table;
        return this;
    }

    /**
     * Where the natural logarithm of the softmax denominators goes.
     *
     * @param tensor null for nowhere, or contiguous FLOAT32 [batch, heads, queries]; ragged: [heads,
     *     cuQueries[sequences]]
     * @return this
     */
    public AttentionInputs lse(Tensor tensor) {
        lse = tensor;
        return this;
    }

    /**
     * How many of the keys are there; the rest is hidden.
     *
     * @param tensor null for all, or INT64 [batch]; not in a ragged run
     * @return this
     */
    public AttentionInputs keyLengths(Tensor tensor) {
        keyLengths = tensor;
        return this;
    }

    /**
     * Where the first query stands among the keys, for causal attention, windows and slopes.
     *
     * @param tensor null for the alignment of the attention, or INT64 [batch]
     * @return this
     */
    public AttentionInputs offsets(Tensor tensor) {
        offsets = tensor;
        return this;
    }

    /**
     * Added to the scores.
     *
     * @param tensor null for none, or FLOAT32, a shape that broadcasts to [batch, heads, queries, keys]; -infinity
     *     hides
     * @return this
     */
    public AttentionInputs bias(Tensor tensor) {
        bias = tensor;
        return this;
    }

    /**
     * Says which keys are seen.
     *
     * @param tensor null for all, or BOOL, a shape that broadcasts to [batch, heads, queries, keys]; false hides
     * @return this
     */
    public AttentionInputs mask(Tensor tensor) {
        mask = tensor;
        return this;
    }

    /**
     * ALiBi: {@code slope * |i + offset - j|} is taken from the score of query i and key j.
     *
     * @param tensor null for none, or contiguous FLOAT32 [heads]
     * @return this
     */
    public AttentionInputs slopes(Tensor tensor) {
        slopes = tensor;
        return this;
    }

    /**
     * Attention sinks: {@code exp(sink)} is added to the softmax denominators.
     *
     * @param tensor null for none, or contiguous FLOAT32 [heads]
     * @return this
     */
    public AttentionInputs sinks(Tensor tensor) {
        sinks = tensor;
        return this;
    }

    /**
     * Where the weights or scores go that the attention was built to write.
     *
     * @param tensor null, or FLOAT32 [batch, heads, queries, keys] with innermost stride 1; [batch, queries, keys] if
     *     averaged
     * @return this
     */
    public AttentionInputs scores(Tensor tensor) {
        scores = tensor;
        return this;
    }

    /**
     * The seed of the dropout, 0 by default. The same seed gives the same draws for any number of threads.
     *
     * @param number any
     * @return this
     */
    public AttentionInputs seed(long number) {
        seed = number;
        return this;
    }

    /**
     * What may stop the call.
     *
     * @param stop null for nothing, or a cancellation
     * @return this
     */
    public AttentionInputs cancellation(Cancellation stop) {
        cancellation = stop;
        return this;
    }
}
