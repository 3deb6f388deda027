// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * The forward of a {@link ProjectedAttention}, from its {@code plan}. Thread-safe, as {@link PlannedForward} says.
 *
 * <p>A run with the sizes and the kind of mask of the one before allocates nothing, neither in Java nor natively, if it
 * is given the same mask tensor, or no mask; so does decoding token after token, but for what a cache takes to grow. A
 * run of other sizes makes room first. It uses the weights that the module has when it starts. It keeps the mask and
 * out of the last run.
 */
public final class Forward extends PlannedForward<ModuleInputs> {
    private final ProjectedAttention module;
    private final Blueprint blueprint;
    private final Projections memory;
    private final Gate gate;
    private final Attentions attentions;
    private final AttentionInputs inputs = AttentionInputs.of(null, null, null, null);
    private final LastView mask = new LastView(Operands::fourDims);
    private final MaskSlices masks = new MaskSlices();
    private final LastView outHeads;
    private Decoding decoding;
    private long entries;

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
        check(layers, in, dropping);
        long batch = in.query.size(0);
        fit(sliced(layers, in, dropping), batch, in.query.size(1), in.key.size(1));
        Tensor all = mask.of(in.mask);
        inputs.scores(in.weights).seed(in.seed);
        long first = 0;
        do {
            Projections.Views at = memory.of(Math.min(entries, batch - first));
            inputs.mask(masks.of(all, first, entries));
            run(layers, in, first, at, dropping);
            first += entries;
        } while (first < batch);
    }

    @Override
    void free() {
        memory.close();
        if (decoding != null) {
            decoding.close();
        }
    }

    /** Makes room for these sizes. */
    void fit(long batch, long queries, long keys) {
        fit(blueprint.out != null, batch, queries, keys);
    }

    private void fit(boolean sliced, long batch, long queries, long keys) {
        entries = !sliced ? batch
            : Slices.entries(blueprint.options, batch, Math.min(queries, keys), memory.floats(queries, keys));
        memory.fit(entries, queries, keys);
    }

    /** Not where draws depend on the number of an entry, weights go through memory in any case, or queries are few. */
    private static boolean sliced(Blueprint.Layers layers, ModuleInputs in, boolean dropping) {
        return layers.out() != null && !dropping && in.weights == null && !in.isDecoding() && in.positions == null
            && Slices.inOrder(in) && Slices.apart(in.mask, in.out);
    }

    /** Everything that could be refused later, so that nothing is written then. */
    private void check(Blueprint.Layers layers, ModuleInputs in, boolean dropping) {
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
        if (layers.gate() != null) {
            layers.gate().open();
        }
        if (layers.out() != null) {
            layers.out().checkOut(out, "out");
        }
        long seen = k.size(1);
        if (in.isDecoding()) {
            if (dropping || in.weights != null) {
                throw new IllegalArgumentException("a forward with a cache drops and writes no weights: dropout="
                    + blueprint.options.dropout + " weights=" + in.weights);
            }
            seen = Decoding.keys(in, entries, seen, blueprint.windowBefore);
        }
        Operands.mask(in.mask, entries, blueprint.heads(), in.query.size(1), seen);
        if (in.weights != null) {
            View weights = Operands.weights(in.weights, entries, blueprint.heads(), in.query.size(1), seen);
            Check.disjoint(weights, "weights", View.of(in.query, "query"), "query");
            Check.disjoint(weights, "weights", out, "out");
        }
    }

    /** The entries from one on that there is memory for. */
    private void run(Blueprint.Layers layers, ModuleInputs in, long first, Projections.Views at, boolean dropping) {
        project(layers, in, first, at);
        boolean last = layers.gate() == null && layers.out() == null;
        attend(in, at, last ? outHeads.of(in.out) : at.context().heads(), dropping);
        finish(layers, in, first, at);
    }

    private void project(Blueprint.Layers layers, ModuleInputs in, long first, Projections.Views at) {
        Projected query = at.query();
        Projected key = at.key();
        layers.query().runEntries(in.query, first, query.rows(), 0, at.entries(), 0);
        layers.key().runEntries(in.key, first, key.rows(), 0, at.entries(), 0);
        layers.value().runEntries(in.value, first, at.value().rows(), 0, at.entries(), 0);
        if (layers.queryNorm() != null) {
            layers.queryNorm().run(query.each(), query.each());
            layers.keyNorm().run(key.each(), key.each());
        }
        if (in.isDecoding()) {
            decoding().turn(in, query.heads());
        } else if (blueprint.rotary != null && in.positions != null) {
            blueprint.rotary.run(query.heads(), query.heads(), in.positions);
            blueprint.rotary.run(key.heads(), key.heads(), in.positions);
        } else if (blueprint.rotary != null) {
            blueprint.rotary.run(query.heads(), query.heads(), 0);
            blueprint.rotary.run(key.heads(), key.heads(), 0);
        }
    }

    private void attend(ModuleInputs in, Projections.Views at, Tensor out, boolean dropping) {
        if (in.isDecoding()) {
            decoding().run(in, at.key().heads(), at.value().heads(),
                inputs.operands(at.query().heads(), null, null, out));
        } else {
            inputs.operands(at.query().heads(), at.key().heads(), at.value().heads(), out);
            attentions.of(dropping, in.weights != null, at.entries() < entries).run(inputs);
        }
    }

    /** Made by the first run that has a cache. */
    private Decoding decoding() {
        if (decoding == null) {
            decoding = new Decoding(blueprint.rotary, attentions.of(false, false, false));
        }
        return decoding;
    }

    private void finish(Blueprint.Layers layers, ModuleInputs in, long first, Projections.Views at) {
        Tensor context = at.context().rows();
        if (layers.gate() != null) {
            layers.gate().runEntries(in.query, first, at.gates(), 0, at.entries(), 0);
            gate.run(context, at.gates(), layers.out() == null ? in.out : context);
        }
        if (layers.out() != null) {
            layers.out().runEntries(context, 0, in.out, first, at.entries(), 0);
        }
    }
}
