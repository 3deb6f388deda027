// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;

/** The memory between the layers of a forward, and the views of it for the sizes of the last run. Not thread-safe. */
final class Projections implements AutoCloseable {
    private final Blueprint blueprint;
    private final Scratch memory = new Scratch(DType.FLOAT32);
    private long batch = -1;
    private long queries;
    private long keys;
    private Projected query;
    private Projected key;
    private Projected value;
    private Projected context;
    private Tensor gates;

    Projections(Blueprint blueprint) {
        this.blueprint = blueprint;
    }

    /** Makes room, and the views of these sizes. */
    void fit(long newBatch, long newQueries, long newKeys) {
        if (newBatch == batch && newQueries == queries && newKeys == keys) {
            return;
        }
        batch = -1;
        long width = blueprint.heads() * blueprint.headDim;
        long kvWidth = blueprint.kvHeads * blueprint.headDim;
        memory.begin(2 * newBatch * (newQueries * width + newKeys * kvWidth));
        query = Projected.of(memory.take(newBatch, newQueries, width), blueprint.heads());
        context = Projected.of(memory.take(newBatch, newQueries, width), blueprint.heads());
        key = Projected.of(memory.take(newBatch, newKeys, kvWidth), blueprint.kvHeads);
        value = Projected.of(memory.take(newBatch, newKeys, kvWidth), blueprint.kvHeads);
        // Nothing needs the queries after attention.
        gates = blueprint.gate == null ? null : query.rows().reshape(newBatch * newQueries * width)
            .slice(0, 0, newBatch * newQueries * blueprint.gates).reshape(newBatch, newQueries, blueprint.gates);
        batch = newBatch;
        queries = newQueries;
        keys = newKeys;
    }

    Projected query() {
        return query;
    }

    Projected key() {
        return key;
    }

    Projected value() {
        return value;
    }

    /** What the heads give. */
    Projected context() {
        return context;
    }

    /** What the gate layer gives, null if there is none; in the memory of the queries. */
    Tensor gates() {
        return gates;
    }

    /** Frees the memory; may come twice. */
    @Override
    public void close() {
        memory.close();
    }
}
