// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Attention over keys and values that lie in several segments, or in a cache, as if they were concatenated, and without
 * concatenating them: each segment is attended to for itself, and the partial results are merged by their softmax
 * denominators (see {@link Merge}), sinks being added once. Pages are read where they lie, in one run. Thread-safe; as
 * it holds the memory of the partial results, calls wait for each other: let each thread have its own.
 *
 * <p><b>Positions</b>, which causal masks, windows, slopes, key lengths, biases and masks go by, count over the
 * concatenation: key j of a segment is key j + (all keys of the segments before). Without offsets the last query stands
 * at the last key, as in plain attention; with {@link Alignment#TOP_LEFT} the first at the first. In a cache, positions
 * count from the first key that was ever appended, whether it is still there or not.
 *
 * <p>The result is that of plain attention but for rounding: its last bits depend on where segments end, and on the
 * number of partial results kept at once, though never on threads.
 *
 * <p>Segments that no query sees cost nothing. Native memory is allocated while results grow, at most about 32 MB or
 * two results, and plans for new shapes; not in a steady state, in which a call allocates no Java objects either.
 */
public final class SegmentedAttention implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    private final boolean ragged;
    private final PartialAttention partial;
    private final PagedAttention paged;
    private final ListedRuns listed = new ListedRuns();
    private boolean closed;

    /**
     * Attention with the options of another.
     *
     * @param attention without dropout, weights or scores, which do not come in parts. A ragged one attends to
     *     sequences of a paged cache only
     * @throws IllegalArgumentException if it is one of these
     */
    public SegmentedAttention(Attention attention) {
        if (attention.dropout > 0) {
            throw new IllegalArgumentException("attention over segments must be without dropout: dropout="
                + attention.dropout + " expected=0");
        }
        if (attention.stage != null) {
            throw new IllegalArgumentException("attention over segments writes no weights or scores: stage="
                + attention.stage + " expected=none");
        }
        ragged = attention.ragged;
        partial = new PartialAttention(attention);
        paged = new PagedAttention(attention);
    }

    /**
     * Attends to segments.
     *
     * @param q queries [batch, heads, queries, headDim]
     * @param segments keys and values, each of any number of keys; none gives 0
     * @param out result [batch, heads, queries, valueDim]; shares no element with the others
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if this or a scope is closed
     */
    public void run(Tensor q, List<KeyValues> segments, Tensor out) {
        run(AttentionInputs.of(q, null, null, out), segments);
    }

    /**
     * Attends to segments with whatever the inputs have: key lengths, offsets, bias and mask are those of all keys.
     *
     * @param inputs q, out and what is optional; without k and v, cumulative lengths and scores
     * @param segments keys and values, each of any number of keys
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if this or a scope is closed
     * @throws java.util.concurrent.CancellationException if it was cancelled; what was to be written is unspecified
     */
    public void run(AttentionInputs inputs, List<KeyValues> segments) {
        begin(false);
        try {
            listed.begin(segments);
            partial.run(inputs, listed, 0, listed.keys());
        } finally {
            listed.clear();
            lock.unlock();
        }
    }

    /**
     * Attends to what a cache holds. The queries' own keys were appended before, so that the last query stands at the
     * last key.
     *
     * @param q queries [batch, heads, queries, headDim]
     * @param cache keys and values
     * @param out result [batch, heads, queries, valueDim]; shares no element with q
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if this, the cache or a scope is closed, or if the window of the attention reaches
     *     keys that the cache has overwritten
     */
    public void run(Tensor q, KeyValueCache cache, Tensor out) {
        run(AttentionInputs.of(q, null, null, out), cache);
    }

    /**
     * Attends to what a cache holds, with whatever the inputs have. Offsets are positions; key lengths, bias and mask
     * begin with the first key that the cache still holds.
     *
     * @param inputs q, out and what is optional; without k and v, cumulative lengths and scores
     * @param cache keys and values
     * @throws IllegalArgumentException if the tensors do not fit; nothing was written then
     * @throws IllegalStateException if this, the cache or a scope is closed, or if the window of the attention reaches
     *     keys that the cache has overwritten
     * @throws java.util.concurrent.CancellationException if it was cancelled; what was to be written is unspecified
     */
    public void run(AttentionInputs inputs, KeyValueCache cache) {
        Objects.requireNonNull(inputs, "inputs must not be null");
        begin(false);
        try {
            CacheStorage keys = cache.beginRead();
            try {
                partial.run(inputs, keys, keys.begin(), keys.length());
            } finally {
                cache.endRead();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Attends to the sequences of a paged cache, one batch entry each. The queries' own keys were appended before, so
     * that the last query of each stands at its last key.
     *
     * @param q queries [sequences, heads, queries, headDim]
     * @param sequences of the same cache; one may be there twice
     * @param out result [sequences, heads, queries, valueDim]; shares no element with q
     * @throws IllegalArgumentException if the tensors or sequences do not fit; nothing was written then
     * @throws IllegalStateException if this, the cache, a sequence or a scope is closed
     */
    public void runPaged(Tensor q, List<PagedSequence> sequences, Tensor out) {
        runPaged(AttentionInputs.of(q, null, null, out), sequences);
    }

    /**
     * Attends to the sequences of a paged cache, with whatever the inputs have. If the attention is ragged, each
     * sequence has queries of its own number, such as the prompt of one and a token of the next: q and out are
     * [totalQueries, heads, dim], lse [heads, totalQueries], and {@link AttentionInputs#cumulative cumulative} lengths
     * are given of the queries alone, those of the keys being null.
     *
     * @param inputs q, out and what is optional; without k and v, key lengths, cumulative lengths but for those, and
     *     scores. A bias or mask has as many keys as the longest of the sequences.
     * @param sequences of the same cache; one may be there twice
     * @throws IllegalArgumentException if the tensors or sequences do not fit
     * @throws IllegalStateException if this, the cache, a sequence or a scope is closed
     * @throws java.util.concurrent.CancellationException if it was cancelled; what was to be written is unspecified
     */
    public void runPaged(AttentionInputs inputs, List<PagedSequence> sequences) {
        begin(true);
        try {
            paged.run(inputs, sequences);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Frees the memory. Does nothing the second time.
     *
     * @throws IllegalStateException while a call is under way
     */
    @Override
    public void close() {
        if (!lock.tryLock()) {
            throw new IllegalStateException("this SegmentedAttention is in use: a call is under way, "
                + "close it after it");
        }
        try {
            if (!closed) {
                closed = true;
                partial.close();
                paged.close();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Begins a call; the caller unlocks. */
    private void begin(boolean inPages) {
        lock.lock();
        if (closed || ragged && !inPages) {
            lock.unlock();
            throw new IllegalStateException(closed ? "this SegmentedAttention is closed"
                : "this attention is ragged: segments are not, sequences of a paged cache are");
        }
    }
}
