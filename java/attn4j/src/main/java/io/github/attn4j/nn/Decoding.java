// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import java.util.List;

/**
 * What a forward does with a cache, or with sequences of a paged one: it turns queries by the positions behind those of
 * the cache, appends keys and values, the keys turned on the way, and attends to all there are. Not thread-safe.
 */
final class Decoding implements AutoCloseable {
    /** Null if nothing is turned. */
    private final RotaryEmbedding rotary;
    private final SegmentedAttention attention;
    private final Scratch memory = new Scratch(DType.INT64);
    /** The positions of the sequences' first queries. */
    private long[] starts = new long[0];
    private Tensor positions;

    Decoding(RotaryEmbedding rotary, Attention attention) {
        this.rotary = rotary;
        this.attention = new SegmentedAttention(attention);
    }

    /**
     * The keys that the longest sequence of a cache has once `tokens` more were appended, of which each sees
     * `windowBefore` before it, or -1 for all. Refuses what would overwrite keys that one of them sees.
     */
    static long keys(ModuleInputs in, long entries, long tokens, long windowBefore) {
        if (in.cache != null && in.sequences != null) {
            throw new IllegalArgumentException("a forward takes a cache or sequences: cache=" + in.cache
                + " sequences=" + in.sequences);
        }
        if (in.cache != null) {
            long length = in.cache.length();
            long kept = Math.min(in.cache.capacity(), tokens + length - in.cache.first());
            if (windowBefore >= 0 && tokens > 0) {
                Check.kept(Math.max(0, length - windowBefore), length + tokens - kept);
            }
            return kept;
        }
        if (in.sequences.size() != entries) {
            throw new IllegalArgumentException("there must be a sequence for each batch entry: sequences="
                + in.sequences.size() + " batch=" + entries);
        }
        long longest = 0;
        for (int b = 0; b < entries; b++) {
            longest = Math.max(longest, in.sequences.get(b).length());
        }
        return longest + tokens;
    }

    /** Turns the queries of the tokens to be appended, [batch, heads, tokens, headDim]. */
    void turn(ModuleInputs in, Tensor queries) {
        if (rotary == null) {
            return;
        }
        if (in.positions != null) {
            rotary.run(queries, queries, in.positions);
        } else if (in.cache != null) {
            rotary.run(queries, queries, in.cache.length());
        } else {
            rotary.runFrom(queries, queries, starts(in.sequences));
        }
    }

    /** Appends keys and values, and attends. */
    void run(ModuleInputs in, Tensor keys, Tensor values, AttentionInputs inputs) {
        if (in.cache != null) {
            in.cache.append(keys, values, rotary, in.positions);
            attention.run(inputs, in.cache);
            return;
        }
        if (!in.sequences.isEmpty()) {
            in.sequences.get(0).cache().append(in.sequences, keys, values, rotary, in.positions);
        }
        attention.runPaged(inputs, in.sequences);
    }

    @Override
    public void close() {
        attention.close();
        memory.close();
    }

    private Tensor starts(List<PagedSequence> sequences) {
        int count = sequences.size();
        if (positions == null || starts.length != count) {
            positions = null;
            starts = new long[count];
            positions = memory.begin(count).take(count);
        }
        for (int b = 0; b < count; b++) {
            starts[b] = sequences.get(b).length();
        }
        return positions.copyFrom(starts);
    }
}
