// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;

/**
 * Where a layer or module runs: the options that all of them have. Builders are not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class LayerBuilder<B extends LayerBuilder<B>> {
    Isa isa = Isa.DEFAULT;
    int threads;

    LayerBuilder() {}

    /**
     * The most threads that work on a run, 0 (the default) for all of the pool; 1 never leaves the calling thread.
     *
     * @param limit at least 0
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    public final B threads(int limit) {
        threads = Check.threads(limit);
        return self();
    }

    /** Forces an instruction set, for tests. */
    final B isa(Isa forced) {
        isa = forced;
        return self();
    }

    @SuppressWarnings("unchecked")
    final B self() {
        return (B) this;
    }
}
