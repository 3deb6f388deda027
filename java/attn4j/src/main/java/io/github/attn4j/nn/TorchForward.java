// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;

/**
 * The forward of a {@link TorchMultiheadAttention}, from its {@code plan}. Thread-safe, as {@link PlannedForward} says.
 *
 * <p>A run with the sizes and the kinds of masks of the one before, and as many different inputs, allocates nothing,
 * neither in Java nor natively, if a FLOAT32 mask is the same tensor; one of other sizes makes room first. It uses the
 * weights that the module has when it starts. It keeps the FLOAT32 masks of the last run.
 */
public final class TorchForward extends PlannedForward<TorchInputs> {
    /** How many projections there are: of one input, of query and key-value, of three. */
    private static final int SELF = 1, CROSS = 2, SEPARATE = 3;

    private final TorchMultiheadAttention module;
    private final TorchBlueprint blueprint;
    private final Scratch memory = new Scratch(DType.FLOAT32);
    private final TorchMasks masks;
    private final Attention[] attentions = new Attention[12];
    private final AttentionInputs inputs = AttentionInputs.of(null, null, null, null);
    private int projections;
    private TorchMasks.Sizes sizes = new TorchMasks.Sizes(-1, 0, 0, 0, 0);
    private TorchBlueprint.Layers extended;
    private Tensor joint;
    private Projected query;
    private Projected key;
    private Projected value;
    private Projected context;
    /** With rows behind those of the input, and without, [batch, heads, rows, headDim]. */
    private Tensor longKey;
    private Tensor longValue;
    private Tensor longKeys;
    private Tensor longValues;

    TorchForward(TorchMultiheadAttention module) {
        this.module = module;
        blueprint = module.blueprint;
        masks = new TorchMasks(blueprint.options.heads);
    }

    @Override
    void execute(TorchInputs in) {
        TorchBlueprint.Layers layers = module.layers();
        boolean dropping = module.drops(in.seeded);
        TorchChecks.check(blueprint, in);
        int batchDim = blueprint.batchFirst ? 0 : 1;
        fit(projections(in), in.query.size(batchDim), in.query.size(1 - batchDim), in.key.size(1 - batchDim));
        project(layers, in);
        boolean extra = sizes.extra() > 0;
        if (extra) {
            extend(layers);
        }
        inputs.operands(query.heads(), extra ? longKey : key.heads(), extra ? longValue : value.heads(),
            context.heads());
        inputs.mask(masks.keep(in.keyPaddingMask, in.attnMask, in.causal && extra, sizes))
            .bias(masks.bias(in.keyPaddingMask, in.attnMask, sizes)).scores(in.weights).seed(in.seed);
        attention(dropping, in.causal && !extra, in.weights == null ? 0 : in.weights.rank()).run(inputs);
        layers.out().run(context.rows(), in.out);
    }

    @Override
    void free() {
        memory.close();
        masks.close();
    }

    /** Makes room for self-attention if the numbers of rows allow it, else for three inputs, which take as much. */
    void fit(long batch, long queries, long keys) {
        fit(blueprint.packed() && queries == keys ? SELF : SEPARATE, batch, queries, keys);
    }

    private int projections(TorchInputs in) {
        return !blueprint.packed() || in.key != in.value ? SEPARATE : in.query == in.key ? SELF : CROSS;
    }

    private void fit(int newProjections, long batch, long queries, long keys) {
        if (newProjections == projections && batch == sizes.batch() && queries == sizes.queries()
            && keys == sizes.keys()) {
            return;
        }
        projections = 0;
        long width = blueprint.options.width;
        long extra = blueprint.extra();
        memory.begin(width * batch * (2 * queries + 2 * keys + (extra == 0 ? 0 : 2 * (keys + extra))));
        context = projected(rows(batch, queries, width));
        if (newProjections == SELF) {
            joint = rows(batch, queries, 3 * width);
            query = projected(joint.slice(2, 0, width));
        } else {
            query = projected(rows(batch, queries, width));
            joint = newProjections == CROSS ? rows(batch, keys, 2 * width) : null;
        }
        long all = joint == null ? 0 : joint.size(2);
        key = projected(joint == null ? rows(batch, keys, width) : joint.slice(2, all - 2 * width, all - width));
        value = projected(joint == null ? rows(batch, keys, width) : joint.slice(2, all - width, all));
        if (extra > 0) {
            longKey = projected(rows(batch, keys + extra, width)).heads();
            longValue = projected(rows(batch, keys + extra, width)).heads();
        }
        extended = null;
        sizes = new TorchMasks.Sizes(batch, blueprint.options.heads, queries, keys, extra);
        projections = newProjections;
    }

    private Tensor rows(long batch, long rows, long width) {
        return blueprint.batchFirst ? memory.take(batch, rows, width) : memory.take(rows, batch, width);
    }

    private Projected projected(Tensor rows) {
        return Projected.of(rows, blueprint.options.heads, blueprint.batchFirst);
    }

    private void project(TorchBlueprint.Layers layers, TorchInputs in) {
        if (projections == SELF) {
            layers.all().run(in.query, joint);
            return;
        }
        layers.query().run(in.query, query.rows());
        if (projections == CROSS) {
            layers.keyValue().run(in.key, joint);
        } else {
            layers.key().run(in.key, key.rows());
            layers.value().run(in.value, value.rows());
        }
    }

    /** Copies keys and values to where rows stand behind them. */
    private void extend(TorchBlueprint.Layers layers) {
        if (layers != extended) {
            behind(longKey, layers.biasK());
            behind(longValue, layers.biasV());
            longKeys = longKey.slice(2, 0, sizes.keys());
            longValues = longValue.slice(2, 0, sizes.keys());
            extended = layers;
        }
        longKeys.copyFrom(key.heads());
        longValues.copyFrom(value.heads());
    }

    /** The bias row, if there is one, then zeros, if they are wanted: for the weights of one load and these sizes. */
    private void behind(Tensor all, Tensor bias) {
        Tensor rows = all.slice(2, sizes.keys(), all.size(2));
        for (long entry = 0; entry < sizes.batch(); entry++) {
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

    /** Each has the plan of its last run. */
    private Attention attention(boolean dropping, boolean causal, int weightsRank) {
        int which = (dropping ? 6 : 0) + (causal ? 3 : 0) + (weightsRank == 0 ? 0 : weightsRank - 2);
        if (attentions[which] == null) {
            attentions[which] = blueprint.attention(dropping, causal, weightsRank);
        }
        return attentions[which];
    }
}
