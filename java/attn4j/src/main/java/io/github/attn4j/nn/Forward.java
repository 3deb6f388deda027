// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * The forward of a {@link ProjectedAttention}, from its {@code plan}. Thread-safe, as {@link PlannedForward} says.
 *
 * <p>A run with the sizes and the kind of mask of the one before allocates nothing, neither in Java nor natively, if it
 * is given the same mask tensor, or no mask; so does decoding token after token, but for what a cache takes to grow. A
 * run of other sizes makes room first. It uses the weights that the module has when it starts. It keeps the mask and out
 * of the last run.
 */
public final class Forward extends PlannedForward<ModuleInputs> {
    private final ProjectedAttention module;
    private final Blueprint blueprint;
    private final Projections memory;
    private final Gate gate;
    private final Attentions attentions;
    private final AttentionInputs inputs = AttentionInputs.of(null, null, null, null);
    private final LastView mask = new LastView(Operands::fourDims);
    private final LastView outHeads;
    private SegmentedAttention cached;

    Forward(ProjectedAttention module) {
        this.module = module;
        blueprint = module.blueprint;
        memory = new Projections(blueprint);
        attentions = new Attentions(blueprint);
        gate = Gate.builder().threads(blueprint.options.threads).isa(blueprint.options.isa).build();
        outHeads = new LastView(out -> Projected.of(out, blueprint.heads()).heads());
    }

    @Override
    void execute(ModuleInputs in) {
        Blueprint.Layers layers = module.layers();
        boolean dropping = module.drops(in.seeded);
        check(in, dropping);
        memory.fit(in.query.size(0), in.query.size(1), in.key.size(1));
        project(layers, in);
        boolean last = layers.gate() == null && layers.out() == null;
        attend(in, last ? outHeads.of(in.out) : memory.context().heads(), dropping);
        finish(layers, in);
    }

    @Override
    void free() {
        memory.close();
        if (cached != null) {
            cached.close();
        }
    }

    /** Makes room for these sizes. */
    void fit(long batch, long queries, long keys) {
        memory.fit(batch, queries, keys);
    }

    /** Everything that could be refused later, so that nothing is written then. */
    private void check(ModuleInputs in, boolean dropping) {
        module.check(in);
        module.checkDecoding(in);
        long width = blueprint.width();
        Operands.sequence(in.query, "query", width);
        long entries = in.query.size(0);
        View k = Operands.sequence(in.key, "key", width);
        Check.size(k, "key", 0, entries, "batch");
        View v = Operands.sequence(in.value, "value", width);
        Check.size(v, "value", 0, entries, "batch");
        Check.size(v, "value", 1, k.size(1), "keys");
        View out = Operands.sequence(in.out, "out", width);
        Check.size(out, "out", 0, entries, "batch");
        Check.size(out, "out", 1, in.query.size(1), "queries");
        Check.writable(out, "out");
        long seen = k.size(1);
        if (in.cache != null) {
            if (dropping || in.weights != null) {
                throw new IllegalArgumentException("a forward with a cache drops and writes no weights: dropout="
                    + blueprint.options.dropout + " weights=" + in.weights);
            }
            seen = Math.min(in.cache.capacity(), seen + in.cache.length() - in.cache.first());
        }
        Operands.mask(in.mask, entries, blueprint.heads(), in.query.size(1), seen);
        if (in.weights != null) {
            View weights = Operands.weights(in.weights, entries, blueprint.heads(), in.query.size(1), seen);
            Check.disjoint(weights, "weights", View.of(in.query, "query"), "query");
            Check.disjoint(weights, "weights", out, "out");
        }
    }

    private void project(Blueprint.Layers layers, ModuleInputs in) {
        Projected query = memory.query();
        Projected key = memory.key();
        layers.query().run(in.query, query.rows());
        layers.key().run(in.key, key.rows());
        layers.value().run(in.value, memory.value().rows());
        if (layers.queryNorm() != null) {
            layers.queryNorm().run(query.each(), query.each());
            layers.keyNorm().run(key.each(), key.each());
        }
        if (blueprint.rotary != null && in.positions != null) {
            blueprint.rotary.run(query.heads(), query.heads(), in.positions);
            blueprint.rotary.run(key.heads(), key.heads(), in.positions);
        } else if (blueprint.rotary != null) {
            long start = in.cache == null ? 0 : in.cache.length();
            blueprint.rotary.run(query.heads(), query.heads(), start);
            blueprint.rotary.run(key.heads(), key.heads(), start);
        }
    }

    private void attend(ModuleInputs in, Tensor out, boolean dropping) {
        inputs.operands(memory.query().heads(), memory.key().heads(), memory.value().heads(), out)
            .mask(mask.of(in.mask)).scores(in.weights).seed(in.seed);
        if (in.cache == null) {
            attentions.of(dropping, in.weights != null).run(inputs);
            return;
        }
        if (cached == null) {
            cached = new SegmentedAttention(attentions.of(false, false));
        }
        in.cache.append(memory.key().heads(), memory.value().heads());
        cached.run(inputs.operands(memory.query().heads(), null, null, out), in.cache);
    }

    private void finish(Blueprint.Layers layers, ModuleInputs in) {
        Tensor context = memory.context().rows();
        if (layers.gate() != null) {
            layers.gate().run(in.query, memory.gates());
            gate.run(context, memory.gates(), layers.out() == null ? in.out : context);
        }
        if (layers.out() != null) {
            layers.out().run(context, in.out);
        }
    }
}
