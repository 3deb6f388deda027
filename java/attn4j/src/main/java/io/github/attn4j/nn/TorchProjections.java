// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/** The memory between the layers of a {@link TorchForward}, whose projections may be several at once. */
final class TorchProjections extends ForwardMemory<TorchProjections.Views> {
    /** How many projections there are: of one input, of query and key-value, of three. */
    static final int SELF = 1, CROSS = 2, SEPARATE = 3;

    private final TorchBlueprint blueprint;
    private int projections;
    private TorchBlueprint.Layers extended;

    TorchProjections(TorchBlueprint blueprint) {
        this.blueprint = blueprint;
    }

    @Override
    long floats(long ofQueries, long ofKeys) {
        long extra = blueprint.extra();
        return blueprint.options.width * (2 * ofQueries + 2 * ofKeys + (extra == 0 ? 0 : 2 * (ofKeys + extra)));
    }

    /** Makes room, and the views of these sizes and so many projections. */
    void fit(int newProjections, long newEntries, long newQueries, long newKeys) {
        if (newProjections != projections) {
            projections = newProjections;
            forget();
        }
        fit(newEntries, newQueries, newKeys);
    }

    int projections() {
        return projections;
    }

    @Override
    Views take(long ofEntries, long ofQueries, long ofKeys) {
        extended = null;
        long width = blueprint.options.width;
        long all = ofKeys + blueprint.extra();
        boolean extra = all > ofKeys;
        Tensor context = rows(ofEntries, ofQueries, width);
        Tensor query = projections == SELF ? null : rows(ofEntries, ofQueries, width);
        Tensor joint = projections == SEPARATE ? null
            : rows(ofEntries, ofKeys, (projections == SELF ? 3 : 2) * width);
        Tensor key = joint != null ? null : rows(ofEntries, ofKeys, width);
        Tensor value = joint != null ? null : rows(ofEntries, ofKeys, width);
        Tensor longKey = extra ? rows(ofEntries, all, width) : null;
        return views(new Rows(context, joint, query, key, value, longKey, extra ? rows(ofEntries, all, width) : null),
            ofKeys);
    }

    @Override
    Views first(Views all, long some) {
        return views(all.rows.first(blueprint.batchDim(), some), keys());
    }

    /** Copies keys and values to where rows stand behind them. */
    void extend(Views views, TorchBlueprint.Layers layers) {
        if (layers != extended) {
            behind(all().longKey.heads(), layers.biasK());
            behind(all().longValue.heads(), layers.biasV());
            extended = layers;
        }
        views.longKeys().copyFrom(views.key().heads());
        views.longValues().copyFrom(views.value().heads());
    }

    /** The bias row, if there is one, then zeros, if they are wanted: for the weights of one load and these sizes. */
    private void behind(Tensor all, Tensor bias) {
        Tensor rows = all.slice(2, keys(), all.size(2));
        for (long entry = 0; entry < entries(); entry++) {
            Tensor each = rows.select(0, entry);
            if (bias != null) {
                each.select(1, 0).copyFrom(bias.reshape(each.size(0), each.size(2)));
            }
            if (blueprint.addZeroAttn) {
                Tensor last = each.select(1, each.size(1) - 1);
                last.copyFrom(new float[(int) last.elements()]);
            }
        }
    }

    private Tensor rows(long batch, long rows, long width) {
        return blueprint.batchFirst ? memory.take(batch, rows, width) : memory.take(rows, batch, width);
    }

    private Views views(Rows rows, long ofKeys) {
        Tensor joint = rows.joint;
        long width = blueprint.options.width;
        long all = joint == null ? 0 : joint.size(2);
        Tensor query = rows.query == null ? joint.slice(2, 0, width) : rows.query;
        Tensor key = joint == null ? rows.key : joint.slice(2, all - 2 * width, all - width);
        Tensor value = joint == null ? rows.value : joint.slice(2, all - width, all);
        Projected longKey = projected(rows.longKey);
        Projected longValue = projected(rows.longValue);
        return new Views(rows, rows.context.size(blueprint.batchDim()), projected(rows.context), projected(query),
            projected(key), projected(value), longKey, longValue,
            longKey == null ? null : longKey.heads().slice(2, 0, ofKeys),
            longValue == null ? null : longValue.heads().slice(2, 0, ofKeys));
    }

    private Projected projected(Tensor rows) {
        return rows == null ? null : Projected.of(rows, blueprint.options.heads, blueprint.batchFirst);
    }

    /**
     * As the layers write and read them, null for what this forward has not; `joint` is several projections at once.
     */
    private record Rows(Tensor context, Tensor joint, Tensor query, Tensor key, Tensor value, Tensor longKey,
                        Tensor longValue) {
        Rows first(int batchDim, long some) {
            return new Rows(first(context, batchDim, some), first(joint, batchDim, some), first(query, batchDim, some),
                first(key, batchDim, some), first(value, batchDim, some), first(longKey, batchDim, some),
                first(longValue, batchDim, some));
        }

        private static Tensor first(Tensor tensor, int batchDim, long some) {
            return tensor == null ? null : tensor.slice(batchDim, 0, some);
        }
    }

    /** The memory of some entries. Long ones have rows behind those of the input, which are longKeys and longValues. */
    record Views(Rows rows, long entries, Projected context, Projected query, Projected key, Projected value,
                 Projected longKey, Projected longValue, Tensor longKeys, Tensor longValues)
        implements ForwardMemory.Views {
        /** What several projections at once write, or null. */
        Tensor joint() {
            return rows.joint;
        }
    }
}
