// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.tensor.DType;

/**
 * The options that key-value caches share: what a key and a value are. Builders are not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract sealed class CacheBuilder<B extends CacheBuilder<B>>
        permits KeyValueCache.Builder, PagedKeyValueCache.Builder {
    private final long kvHeads;
    private final long headDim;
    private long valueDim;
    private DType dtype = DType.FLOAT32;

    CacheBuilder(long kvHeads, long headDim) {
        this.kvHeads = Check.atLeast(1, kvHeads, "kvHeads");
        this.headDim = Check.atLeast(1, headDim, "headDim");
        valueDim = headDim;
    }

    /**
     * The numbers of a value, by default as many as of a key.
     *
     * @param size at least 1
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    public final B valueDim(long size) {
        valueDim = Check.atLeast(1, size, "valueDim");
        return self();
    }

    /**
     * The type of keys and values, FLOAT32 by default.
     *
     * @param type FLOAT32, BFLOAT16 or FLOAT16
     * @return this
     * @throws IllegalArgumentException if it is another
     */
    public final B dtype(DType type) {
        if (!type.isFloat()) {
            throw new IllegalArgumentException("a cache holds floating-point numbers: dtype=" + type
                + " expected=FLOAT32, BFLOAT16 or FLOAT16");
        }
        dtype = type;
        return self();
    }

    final CacheRows rows(long batch) {
        return new CacheRows(dtype, batch, kvHeads, headDim, valueDim);
    }

    @SuppressWarnings("unchecked")
    private B self() {
        return (B) this;
    }
}
