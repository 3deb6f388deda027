// SPDX-License-Identifier: Apache-2.0
// The operator is described at https://onnx.ai/onnx/operators/onnx__TensorScatter.html
package io.github.attn4j.onnx;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** ONNX's TensorScatter, opset 24: writes the rows of an update into a cache. Immutable and thread-safe. */
public final class OnnxTensorScatter {
    private final int axis;
    private final boolean circular;

    private OnnxTensorScatter(Builder builder) {
        axis = builder.axis;
        circular = builder.circular;
    }

    /** {@return a builder with the default attributes} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Runs, with a new tensor as result.
     *
     * @param scope owns the result
     * @param pastCache [batch, ..., max_sequence, ...], of any type
     * @param update [batch, ..., sequence, ...], equal in all other dimensions
     * @param writeIndices null for 0, or INT64 [batch]: the first row that is written of each batch entry
     * @return present_cache, the cache with the update in it
     * @throws IllegalArgumentException if types, shapes or indices do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor pastCache, Tensor update, Tensor writeIndices) {
        Tensor present = scope.zeros(pastCache.dtype(), pastCache.shape()).copyFrom(pastCache);
        run(present, update, writeIndices);
        return present;
    }

    /**
     * Runs in place.
     *
     * @param cache [batch, ..., max_sequence, ...], of any type
     * @param update [batch, ..., sequence, ...], equal in all other dimensions; shares no element with the cache
     * @param writeIndices null for 0, or INT64 [batch]: the first row that is written of each batch entry
     * @throws IllegalArgumentException if types, shapes or indices do not fit; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor cache, Tensor update, Tensor writeIndices) {
        int along = axis(cache);
        check(cache, update, along);
        Check.writable(View.of(cache, "past_cache"), "past_cache");
        Check.disjoint(View.of(cache, "past_cache"), "past_cache", View.of(update, "update"), "update");
        long[] first = writeIndices == null ? new long[Math.toIntExact(cache.size(0))] : indices(cache, writeIndices);
        long rows = update.size(along);
        long most = cache.size(along);
        for (int b = 0; b < first.length; b++) {
            if (first[b] < 0 || !circular && first[b] > most - rows) {
                throw new IllegalArgumentException("the update must fit into the cache: write_indices[" + b + "]="
                    + first[b] + " sequence=" + rows + " max_sequence=" + most);
            }
        }
        for (int b = 0; b < first.length && rows > 0; b++) {
            Tensor to = cache.select(0, b);
            Tensor from = update.select(0, b);
            long begin = first[b] % most;
            long unwrapped = Math.min(rows, most - begin);
            to.slice(along - 1, begin, begin + unwrapped).copyFrom(from.slice(along - 1, 0, unwrapped));
            to.slice(along - 1, 0, rows - unwrapped).copyFrom(from.slice(along - 1, unwrapped, rows));
        }
    }

    private int axis(Tensor cache) {
        int rank = cache.rank();
        int along = axis < 0 ? axis + rank : axis;
        if (along < 1 || along >= rank) {
            throw new IllegalArgumentException("axis must be a dimension of past_cache, and not that of the batch: "
                + "axis=" + axis + " rank=" + rank);
        }
        return along;
    }

    private static void check(Tensor cache, Tensor update, int along) {
        boolean fits = update.dtype() == cache.dtype() && update.rank() == cache.rank();
        for (int d = 0; fits && d < cache.rank(); d++) {
            fits = d == along ? update.size(d) <= cache.size(d) : update.size(d) == cache.size(d);
        }
        if (!fits) {
            throw new IllegalArgumentException("update must fit into past_cache along the axis and be equal in the "
                + "rest: past_cache=" + cache + " update=" + update + " axis=" + along);
        }
    }

    private static long[] indices(Tensor cache, Tensor writeIndices) {
        if (writeIndices.rank() != 1 || writeIndices.size(0) != cache.size(0)) {
            throw new IllegalArgumentException("write_indices must be [batch]: write_indices=" + writeIndices
                + " batch=" + cache.size(0));
        }
        return writeIndices.toLongArray();
    }

    /** The attributes. */
    public static final class Builder {
        private int axis = -2;
        private boolean circular;

        private Builder() {}

        /**
         * axis, the dimension of the sequence, -2 by default.
         *
         * @param dim counted from the end if negative; not that of the batch
         * @return this
         */
        public Builder axis(int dim) {
            axis = dim;
            return this;
        }

        /**
         * mode = "circular": what does not fit behind the last row goes on with the first.
         *
         * @return this
         */
        public Builder circular() {
            circular = true;
            return this;
        }

        /** {@return the operator} */
        public OnnxTensorScatter build() {
            return new OnnxTensorScatter(this);
        }
    }
}
