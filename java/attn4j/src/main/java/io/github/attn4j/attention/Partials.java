// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.HeadCast;
import io.github.attn4j.internal.Merging;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/**
 * Room for the results over some runs of keys, and their merging. Not thread-safe. Native memory is allocated only when
 * a result is larger than all before it.
 */
final class Partials {
    /** More are merged in between: a merge of 16 reads each result once and writes a sixteenth of it. */
    private static final int MOST = 16;
    /** Or when they take more than this, of a long prompt say. */
    private static final long MOST_BYTES = 32L << 20;

    private final Merging merging;
    private TensorScope scope = TensorScope.open();
    private Tensor room = scope.zeros(DType.FLOAT32, 0);
    private Tensor[] outs = new Tensor[0];
    private Tensor[] lses = new Tensor[0];
    private View[] outViews = new View[0];
    private View[] lseViews = new View[0];
    private int filled;

    Partials(Attention attention) {
        merging = new Merging(attention.isa, attention.threads);
    }

    /** Room for the results of `count` runs, as far as they are kept at once; none is filled. */
    void begin(Tensor like, int count) {
        filled = 0;
        long rows = like.size(0) * like.size(1) * like.size(2);
        long each = rows * (like.size(3) + 1);
        long affordable = MOST_BYTES / Float.BYTES / Math.max(1, each);
        int wanted = (int) Math.max(2, Math.min(count, Math.min(MOST, affordable)));
        if (outs.length >= wanted && outs[0].shape().equals(like.shape())) {
            return;
        }
        if (room.elements() < wanted * each) {
            scope.close();
            scope = TensorScope.open();
            room = scope.zeros(DType.FLOAT32, wanted * each);
        }
        outs = new Tensor[wanted];
        lses = new Tensor[wanted];
        outViews = new View[wanted];
        lseViews = new View[wanted];
        for (int p = 0; p < wanted; p++) {
            long from = p * each;
            long middle = from + each - rows;
            outs[p] = room.slice(0, from, middle).reshape(like.shape().toArray());
            lses[p] = room.slice(0, middle, from + each).reshape(like.size(0), like.size(1), like.size(2));
            outViews[p] = View.of(outs[p], "out");
            lseViews[p] = View.of(lses[p], "lse");
        }
    }

    /** Makes the inputs write to the next place; merges those before if there is none. */
    void next(AttentionInputs in) {
        if (filled == outs.length) {
            merging.run(outViews, lseViews, filled, null, outViews[0], lseViews[0]);
            filled = 1;
        }
        in.out = outs[filled];
        in.lse = lses[filled];
        filled++;
    }

    /** Merges into the result; sinks and lse may be null. */
    void finish(Tensor sinks, Tensor out, Tensor lse) {
        View sink = sinks == null ? null : View.of(sinks, "sinks");
        View log = lse == null ? null : View.of(lse, "lse");
        if (out.dtype() == DType.FLOAT32) {
            merging.run(outViews, lseViews, filled, sink, View.of(out, "out"), log);
            return;
        }
        merging.run(outViews, lseViews, filled, sink, outViews[0], log);
        HeadCast.run(outViews[0], View.of(out, "out"));
    }

    /** Frees the room. */
    void close() {
        scope.close();
    }
}
