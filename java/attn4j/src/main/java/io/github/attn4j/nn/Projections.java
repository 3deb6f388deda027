// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;

/**
 * The memory between the layers of a forward for some entries of a batch, and the views of it for the sizes of the last
 * run. Not thread-safe.
 */
final class Projections implements AutoCloseable {
    private final Blueprint blueprint;
    private final Scratch memory = new Scratch(DType.FLOAT32);
    private long entries = -1;
    private long queries;
    private long keys;
    private Views whole;
    private Views rest;

    Projections(Blueprint blueprint) {
        this.blueprint = blueprint;
    }

    /** Floats of an entry. */
    long floats(long ofQueries, long ofKeys) {
        return 2 * blueprint.headDim * (ofQueries * blueprint.heads() + ofKeys * blueprint.kvHeads);
    }

    /** Makes room, and the views of these sizes. */
    void fit(long newEntries, long newQueries, long newKeys) {
        if (newEntries == entries && newQueries == queries && newKeys == keys) {
            return;
        }
        entries = -1;
        rest = null;
        long width = blueprint.heads() * blueprint.headDim;
        long kvWidth = blueprint.kvHeads * blueprint.headDim;
        memory.begin(newEntries * floats(newQueries, newKeys));
        whole = views(memory.take(newEntries, newQueries, width), memory.take(newEntries, newQueries, width),
            memory.take(newEntries, newKeys, kvWidth), memory.take(newEntries, newKeys, kvWidth));
        entries = newEntries;
        queries = newQueries;
        keys = newKeys;
    }

    /** Of all entries. */
    Views all() {
        return whole;
    }

    /** Of so many entries: all, or as many as were taken last, or others. */
    Views of(long some) {
        if (some == entries) {
            return whole;
        }
        if (rest == null || rest.entries() != some) {
            rest = views(whole.query.rows().slice(0, 0, some), whole.context.rows().slice(0, 0, some),
                whole.key.rows().slice(0, 0, some), whole.value.rows().slice(0, 0, some));
        }
        return rest;
    }

    private Views views(Tensor query, Tensor context, Tensor key, Tensor value) {
        long some = query.size(0);
        long rows = query.size(1);
        // Nothing needs the queries after attention.
        Tensor gates = blueprint.gate == null ? null : query.reshape(query.elements())
            .slice(0, 0, some * rows * blueprint.gates).reshape(some, rows, blueprint.gates);
        return new Views(some, Projected.of(query, blueprint.heads()), Projected.of(key, blueprint.kvHeads),
            Projected.of(value, blueprint.kvHeads), Projected.of(context, blueprint.heads()), gates);
    }

    /** Frees the memory; may come twice. */
    @Override
    public void close() {
        memory.close();
    }

    /**
     * The memory of some entries.
     *
     * @param context what the heads give
     * @param gates what the gate layer gives, null if there is none; in the memory of the queries
     */
    record Views(long entries, Projected query, Projected key, Projected value, Projected context, Tensor gates) {}
}
