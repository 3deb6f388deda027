// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * The forward of a {@link TorchMultiheadAttention}, from its {@code plan}. Thread-safe, as {@link PlannedForward} says.
 *
 * <p>A run with the sizes and the kinds of masks of the one before, and as many different inputs, allocates nothing,
 * neither in Java nor natively, if a FLOAT32 mask is the same tensor; one of other sizes makes room first. It uses the
 * weights that the module has when it starts. It keeps the FLOAT32 masks of the last run.
 */
public final class TorchForward extends PlannedForward<TorchInputs> {
    private final TorchMultiheadAttention module;
    private final TorchBlueprint blueprint;
    private final TorchProjections memory;
    private final TorchMasks masks;
    private final MaskSlices keeps = new MaskSlices();
    private final MaskSlices biases = new MaskSlices();
    private final Attention[] attentions = new Attention[24];
    private final AttentionInputs inputs = AttentionInputs.of(null, null, null, null);
    private TorchMasks.Sizes sizes = new TorchMasks.Sizes(-1, 0, 0, 0, 0);
    private long entries;

    TorchForward(TorchMultiheadAttention module) {
        this.module = module;
        blueprint = module.blueprint;
        memory = new TorchProjections(blueprint);
        masks = new TorchMasks(blueprint.options.heads);
    }

    @Override
    void execute(TorchInputs in) {
        TorchBlueprint.Layers layers = module.layers();
        boolean dropping = module.drops(in.seeded);
        TorchChecks.check(blueprint, in);
        layers.out().checkOut(View.of(in.out, "out"), "out");
        int batchDim = blueprint.batchDim();
        // Draws depend on the number of an entry, and weights go through memory in any case.
        boolean sliced = !dropping && in.weights == null && Slices.inOrder(in)
            && Slices.apart(in.keyPaddingMask, in.out) && Slices.apart(in.attnMask, in.out);
        fit(projections(in), sliced, in.query.size(batchDim), in.query.size(1 - batchDim), in.key.size(1 - batchDim));
        Tensor keep = masks.keep(in.keyPaddingMask, in.attnMask, in.causal && sizes.extra() > 0, sizes);
        Tensor bias = masks.bias(in.keyPaddingMask, in.attnMask, sizes);
        inputs.scores(in.weights).seed(in.seed);
        long first = 0;
        do {
            inputs.mask(keeps.of(keep, first, entries)).bias(biases.of(bias, first, entries));
            run(layers, in, first, memory.of(Math.min(entries, sizes.batch() - first)), dropping);
            first += entries;
        } while (first < sizes.batch());
    }

    @Override
    void free() {
        memory.close();
        masks.close();
    }

    /** Makes room for self-attention if the numbers of rows allow it, else for three inputs, which take as much. */
    void fit(long batch, long queries, long keys) {
        fit(blueprint.packed() && queries == keys ? TorchProjections.SELF : TorchProjections.SEPARATE, true, batch,
            queries, keys);
    }

    private int projections(TorchInputs in) {
        return !blueprint.packed() || in.key != in.value ? TorchProjections.SEPARATE
            : in.query == in.key ? TorchProjections.SELF : TorchProjections.CROSS;
    }

    private void fit(int projections, boolean sliced, long batch, long queries, long keys) {
        if (batch != sizes.batch() || queries != sizes.queries() || keys != sizes.keys()) {
            sizes = new TorchMasks.Sizes(batch, blueprint.options.heads, queries, keys, blueprint.extra());
        }
        long some = Slices.entries(blueprint.options, batch, Math.min(queries, keys), memory.floats(queries, keys));
        // With the sequence first only one entry, or all, have their rows at equal distances.
        entries = sliced && (blueprint.batchFirst || some == 1) ? some : batch;
        memory.fit(projections, entries, queries, keys);
    }

    /** The entries from one on that there is memory for. */
    private void run(TorchBlueprint.Layers layers, TorchInputs in, long first, TorchProjections.Views at,
                     boolean dropping) {
        project(layers, in, first, at);
        boolean extra = sizes.extra() > 0;
        if (extra) {
            memory.extend(at, layers);
        }
        inputs.operands(at.query().heads(), (extra ? at.longKey() : at.key()).heads(),
            (extra ? at.longValue() : at.value()).heads(), at.context().heads());
        attention(dropping, in.causal && !extra, in.weights == null ? 0 : in.weights.rank(), at.entries() < entries)
            .run(inputs);
        layers.out().runEntries(at.context().rows(), 0, in.out, first, at.entries(), blueprint.batchDim());
    }

    private void project(TorchBlueprint.Layers layers, TorchInputs in, long first, TorchProjections.Views at) {
        int projections = memory.projections();
        if (projections == TorchProjections.SELF) {
            project(layers.all(), in.query, first, at.joint(), at);
            return;
        }
        project(layers.query(), in.query, first, at.query().rows(), at);
        if (projections == TorchProjections.CROSS) {
            project(layers.keyValue(), in.key, first, at.joint(), at);
        } else {
            project(layers.key(), in.key, first, at.key().rows(), at);
            project(layers.value(), in.value, first, at.value().rows(), at);
        }
    }

    private void project(Linear layer, Tensor from, long first, Tensor to, TorchProjections.Views at) {
        layer.runEntries(from, first, to, 0, at.entries(), blueprint.batchDim());
    }

    /** Each has the plan of its last run; those of fewer entries at the end have their own. */
    private Attention attention(boolean dropping, boolean causal, int weightsRank, boolean rest) {
        int which = (rest ? 12 : 0) + (dropping ? 6 : 0) + (causal ? 3 : 0) + (weightsRank == 0 ? 0 : weightsRank - 2);
        if (attentions[which] == null) {
            attentions[which] = blueprint.attention(dropping, causal, weightsRank);
        }
        return attentions[which];
    }
}
