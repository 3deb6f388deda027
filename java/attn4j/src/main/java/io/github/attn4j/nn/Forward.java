// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;

/**
 * The forward of a {@link ProjectedAttention}, from its {@code plan}. Thread-safe, as {@link PlannedForward} says.
 *
 * <p>A run with the sizes and the kind of mask of the one before allocates nothing, neither in Java nor natively, if it
 * is given the same mask tensor, or no mask, and has no cache; one of other sizes makes room first. It uses the weights
 * that the module has when it starts. It keeps the mask and out of the last run.
 */
public final class Forward extends PlannedForward<ModuleInputs> {
    private final ProjectedAttention module;
    private final Blueprint blueprint;
    private final Scratch memory = new Scratch(DType.FLOAT32);
    private final Gate gate;
    private final Attention[] attentions = new Attention[4];
    private final AttentionInputs inputs = AttentionInputs.of(null, null, null, null);
    private final LastView mask = new LastView(Operands::fourDims);
    private final LastView outHeads;
    private SegmentedAttention cached;
    private long batch = -1;
    private long queries;
    private long keys;
    private Projected query;
    private Projected key;
    private Projected value;
    private Projected context;
    private Tensor gates;

    Forward(ProjectedAttention module) {
        this.module = module;
        blueprint = module.blueprint;
        gate = Gate.builder().threads(blueprint.options.threads).isa(blueprint.options.isa).build();
        outHeads = new LastView(out -> Projected.of(out, blueprint.heads()).heads());
    }

    @Override
    void execute(ModuleInputs in) {
        Blueprint.Layers layers = module.layers();
        boolean dropping = module.drops(in.seeded);
        check(in, dropping);
        fit(in.query.size(0), in.query.size(1), in.key.size(1));
        project(layers, in);
        attend(in, layers.gate() == null && layers.out() == null ? outHeads.of(in.out) : context.heads(), dropping);
        finish(layers, in);
    }

    @Override
    void free() {
        memory.close();
        if (cached != null) {
            cached.close();
        }
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
            seen += in.cache.length() - in.cache.first();
        }
        Operands.mask(in.mask, entries, blueprint.heads(), in.query.size(1), seen);
        if (in.weights != null) {
            View weights = Operands.weights(in.weights, entries, blueprint.heads(), in.query.size(1), seen);
            Check.disjoint(weights, "weights", View.of(in.query, "query"), "query");
            Check.disjoint(weights, "weights", out, "out");
        }
    }

    private void project(Blueprint.Layers layers, ModuleInputs in) {
        layers.query().run(in.query, query.rows());
        layers.key().run(in.key, key.rows());
        layers.value().run(in.value, value.rows());
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
        inputs.operands(query.heads(), key.heads(), value.heads(), out).mask(mask.of(in.mask)).scores(in.weights)
            .seed(in.seed);
        if (in.cache == null) {
            attention(dropping, in.weights != null).run(inputs);
            return;
        }
        if (cached == null) {
            cached = new SegmentedAttention(attention(false, false));
        }
        in.cache.append(key.heads(), value.heads());
        cached.run(inputs.operands(query.heads(), null, null, out), in.cache);
    }

    private void finish(Blueprint.Layers layers, ModuleInputs in) {
        if (layers.gate() != null) {
            layers.gate().run(in.query, gates);
            gate.run(context.rows(), gates, layers.out() == null ? in.out : context.rows());
        }
        if (layers.out() != null) {
            layers.out().run(context.rows(), in.out);
        }
    }

    /** Each has the plan of its last run. */
    private Attention attention(boolean dropping, boolean writing) {
        int which = (dropping ? 2 : 0) + (writing ? 1 : 0);
        if (attentions[which] == null) {
            attentions[which] = blueprint.attention(dropping, writing);
        }
        return attentions[which];
    }
}
