// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
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
    private Isa isa = Isa.DEFAULT;
    private int threads;

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
     * The type of keys and values, FLOAT32 by default. With INT8 each row of a head, of largest number m, is kept as
     * whole multiples of its scale m / 127, which the cache keeps too: a quarter of the memory, and each number within
     * half a scale of what it was.
     *
     * @param type FLOAT32, BFLOAT16, FLOAT16 or INT8
     * @return this
     * @throws IllegalArgumentException if it is another
     */
    public final B dtype(DType type) {
        if (!type.isFloat() && type != DType.INT8) {
            throw new IllegalArgumentException("a cache holds floating-point numbers or INT8: dtype=" + type
                + " expected=FLOAT32, BFLOAT16, FLOAT16 or INT8");
        }
        dtype = type;
        return self();
    }

    /**
     * The most threads that append, 0 (the default) for all of the pool; 1 never leaves the calling thread.
     *
     * @param limit at least 0
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    public final B threads(int limit) {
        threads = Check.threads(limit);
        return self();
    }

    /** Forces an instruction set, so that a test can run all of them in one JVM. */
    final B isa(Isa forced) {
        isa = forced;
        return self();
    }

    final CacheRows rows() {
        return new CacheRows(dtype, kvHeads, headDim, valueDim, isa, threads);
    }

    @SuppressWarnings("unchecked")
    private B self() {
        return (B) this;
    }
}
