// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Memory;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Key lengths and offsets of a call, and those of each run of keys worked out of them. Not thread-safe. Native memory
 * is allocated only for a larger batch than before.
 */
final class PerBatch {
    /** Positions beyond are all the same to a query: so far that sums of a few cannot overflow. */
    private static final long FAR = 1L << 60;

    private TensorScope scope = TensorScope.open();
    private Tensor room = scope.zeros(DType.INT64, 2, 0);
    private Tensor lengths = room.select(0, 0);
    private Tensor offsets = room.select(0, 1);
    /** Keys of each batch entry, and the position of its query 0. */
    private long[] wholeLengths = new long[0];
    private long[] wholeOffsets = new long[0];
    private long[] values = new long[0];

    /**
     * Takes those of a call; keys are from `begin` to `end`.
     *
     * @throws IllegalArgumentException if a length is out of range
     */
    void begin(AttentionInputs in, boolean topLeft, long begin, long end) {
        int batch = (int) in.q.size(0);
        long keys = end - begin;
        View given = in.keyLengths == null ? null : integers(in.keyLengths, "keyLengths", batch);
        View positions = in.offsets == null ? null : integers(in.offsets, "offsets", batch);
        resize(batch);
        for (int b = 0; b < batch; b++) {
            wholeLengths[b] = keys;
        }
        if (given != null) {
            Memory.toArray(given, wholeLengths);
        }
        for (int b = 0; b < batch; b++) {
            long length = wholeLengths[b];
            if (length < 0 || length > keys) {
                throw new IllegalArgumentException("keyLengths must be from 0 to keys: keyLengths[" + b + "]=" + length
                    + " keys=" + keys);
            }
            wholeOffsets[b] = topLeft ? 0 : begin + length - in.q.size(2);
        }
        if (positions != null) {
            Memory.toArray(positions, wholeOffsets);
            for (int b = 0; b < batch; b++) {
                wholeOffsets[b] = Math.max(-FAR, Math.min(FAR, wholeOffsets[b]));
            }
        }
    }

    /** Whether a query of any entry may see one of the keys at [position, position + length). */
    boolean sees(Attention attention, long queries, long begin, long position, long length) {
        for (int b = 0; b < wholeLengths.length; b++) {
            boolean there = position < begin + wholeLengths[b] && length > 0;
            if (there && position + length > oldest(attention, b) && position <= newest(attention, b, queries)) {
                return true;
            }
        }
        return false;
    }

    /** The position of the oldest key that a query of any entry may see, where all keys ever are there. */
    long oldest(Attention attention) {
        long oldest = FAR;
        for (int b = 0; b < wholeLengths.length; b++) {
            oldest = Math.min(oldest, oldest(attention, b));
        }
        return Math.max(0, oldest);
    }

    /** Gives the inputs the lengths and offsets of a run of keys. */
    void of(AttentionInputs in, long begin, long position, long length) {
        boolean all = true;
        for (int b = 0; b < values.length; b++) {
            values[b] = Math.max(0, Math.min(length, begin + wholeLengths[b] - position));
            all &= values[b] == length;
        }
        in.keyLengths = all ? null : write(lengths);
        for (int b = 0; b < values.length; b++) {
            values[b] = wholeOffsets[b] - position;
        }
        in.offsets = write(offsets);
    }

    /** Frees the memory. */
    void close() {
        scope.close();
    }

    private Tensor write(Tensor tensor) {
        Memory.fromArray(values, View.of(tensor, "lengths"));
        return tensor;
    }

    private long oldest(Attention attention, int b) {
        return attention.windowLeft < 0 ? -FAR : wholeOffsets[b] - Math.min(FAR, attention.windowLeft);
    }

    private long newest(Attention attention, int b, long queries) {
        long right = attention.causal ? 0 : attention.windowRight;
        return right < 0 ? Long.MAX_VALUE : wholeOffsets[b] + queries - 1 + Math.min(FAR, right);
    }

    private void resize(int batch) {
        if (values.length == batch) {
            return;
        }
        if (room.size(1) < batch) {
            scope.close();
            scope = TensorScope.open();
            room = scope.zeros(DType.INT64, 2, batch);
        }
        lengths = room.select(0, 0).slice(0, 0, batch);
        offsets = room.select(0, 1).slice(0, 0, batch);
        wholeLengths = new long[batch];
        wholeOffsets = new long[batch];
        values = new long[batch];
    }

    private static View integers(Tensor tensor, String name, long batch) {
        return Check.vector(tensor, name, View.INT64, batch, "batch");
    }
}
