// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.DType;

/**
 * The memory between the layers of a forward for some entries of a batch, and the views of it for the sizes of the last
 * run: nothing is made while they stay the same. Not thread-safe.
 */
abstract class ForwardMemory<V extends ForwardMemory.Views> implements AutoCloseable {
    final Scratch memory = new Scratch(DType.FLOAT32);
    private long entries = -1;
    private long queries;
    private long keys;
    private V whole;
    private V rest;

    /** The memory of some entries. */
    interface Views {
        long entries();
    }

    /** Floats of an entry. */
    abstract long floats(long ofQueries, long ofKeys);

    /** Takes the memory of all entries, for which there is room. */
    abstract V take(long ofEntries, long ofQueries, long ofKeys);

    /** The first so many entries of all. */
    abstract V first(V all, long some);

    /** Makes room, and the views of these sizes. */
    final void fit(long newEntries, long newQueries, long newKeys) {
        if (newEntries == entries && newQueries == queries && newKeys == keys) {
            return;
        }
        forget();
        memory.begin(newEntries * floats(newQueries, newKeys));
        whole = take(newEntries, newQueries, newKeys);
        entries = newEntries;
        queries = newQueries;
        keys = newKeys;
    }

    /** The next {@link #fit} makes its views anew. */
    final void forget() {
        entries = -1;
        rest = null;
    }

    final long entries() {
        return entries;
    }

    final long keys() {
        return keys;
    }

    /** Of all entries. */
    final V all() {
        return whole;
    }

    /** Of so many entries: all, or as many as were taken last, or others. */
    final V of(long some) {
        if (some == entries) {
            return whole;
        }
        if (rest == null || rest.entries() != some) {
            rest = first(whole, some);
        }
        return rest;
    }

    /** Frees the memory; may come twice. */
    @Override
    public final void close() {
        memory.close();
    }
}
