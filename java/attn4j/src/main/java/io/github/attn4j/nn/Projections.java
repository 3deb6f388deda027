// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/** The memory between the layers of a module with projections of its own for each input. */
final class Projections extends ForwardMemory<Projections.Views> {
    private final Blueprint blueprint;

    Projections(Blueprint blueprint) {
        this.blueprint = blueprint;
    }

    @Override
    long floats(long ofQueries, long ofKeys) {
        return 2 * blueprint.headDim * (ofQueries * blueprint.heads() + ofKeys * blueprint.kvHeads);
    }

    @Override
    Views take(long ofEntries, long ofQueries, long ofKeys) {
        long width = blueprint.heads() * blueprint.headDim;
        long kvWidth = blueprint.kvHeads * blueprint.headDim;
        return views(memory.take(ofEntries, ofQueries, width), memory.take(ofEntries, ofQueries, width),
            memory.take(ofEntries, ofKeys, kvWidth), memory.take(ofEntries, ofKeys, kvWidth));
    }

    @Override
    Views first(Views all, long some) {
        return views(all.query.rows().slice(0, 0, some), all.context.rows().slice(0, 0, some),
            all.key.rows().slice(0, 0, some), all.value.rows().slice(0, 0, some));
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

    /**
     * The memory of some entries.
     *
     * @param context what the heads give
     * @param gates what the gate layer gives, null if there is none; in the memory of the queries
     */
    record Views(long entries, Projected query, Projected key, Projected value, Projected context, Tensor gates)
        implements ForwardMemory.Views {}
}
