// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import java.util.List;

/**
 * The forward of a {@link GeneralizedQueryAttention}, from its {@code plan}. Thread-safe, as {@link PlannedForward}
 * says.
 *
 * <p>A run with as many rows of queries and of sources as the one before and the same kind of mask allocates nothing,
 * neither in Java nor natively, if it is given the same mask tensor, or no mask; one of other sizes makes room first.
 * It uses the weights that the module has when it starts. It keeps the mask of the last run.
 */
public final class GeneralizedForward extends PlannedForward<GeneralizedInputs> {
    private static final int BATCH = 0, ROWS = 1;

    private final GeneralizedQueryAttention module;
    private final Blueprint blueprint;
    private final Projections memory;
    private final Attentions attentions;
    private final AttentionInputs inputs = AttentionInputs.of(null, null, null, null);
    private final LastView mask = new LastView(Operands::fourDims);
    private final IndexedNames queryNames = new IndexedNames("queries");
    private final IndexedNames sourceNames = new IndexedNames("sources");
    private final IndexedNames outNames = new IndexedNames("outs");

    GeneralizedForward(GeneralizedQueryAttention module) {
        this.module = module;
        blueprint = module.blueprint;
        memory = new Projections(blueprint);
        attentions = new Attentions(blueprint);
    }

    @Override
    void execute(GeneralizedInputs in) {
        Blueprint.Layers layers = module.layers();
        boolean dropping = module.drops(in.seeded);
        check(layers, in);
        if (in.queries.isEmpty()) {
            return;
        }
        memory.fit(in.queries.get(0).size(BATCH), rows(in.queries), rows(in.sources));
        Projections.Views at = memory.all();
        project(layers.query(), in.queries, at.query());
        project(layers.key(), in.sources, at.key());
        project(layers.value(), in.sources, at.value());
        inputs.operands(at.query().heads(), at.key().heads(), at.value().heads(), at.context().heads())
            .mask(mask.of(in.mask)).scores(in.weights).seed(in.seed);
        attentions.of(dropping, in.weights != null, false).run(inputs);
        long row = 0;
        for (int i = 0; i < in.outs.size(); i++) {
            Tensor out = in.outs.get(i);
            layers.out().runRows(at.context().rows(), row, out, 0, out.size(ROWS));
            row += out.size(ROWS);
        }
    }

    @Override
    void free() {
        memory.close();
    }

    /** Makes room for so many rows of all queries and of all sources. */
    void fit(long batch, long queries, long keys) {
        memory.fit(batch, queries, keys);
    }

    /** Each sequence to its place behind those before it: they are projected as if they were one, without being it. */
    private static void project(Linear layer, List<Tensor> sequences, Projected to) {
        long row = 0;
        for (int i = 0; i < sequences.size(); i++) {
            Tensor sequence = sequences.get(i);
            layer.runRows(sequence, 0, to.rows(), row, sequence.size(ROWS));
            row += sequence.size(ROWS);
        }
    }

    private static long rows(List<Tensor> sequences) {
        long rows = 0;
        for (int i = 0; i < sequences.size(); i++) {
            rows += sequences.get(i).size(ROWS);
        }
        return rows;
    }

    /** Everything that could be refused later, so that nothing is written then. */
    private void check(Blueprint.Layers layers, GeneralizedInputs in) {
        if (in.outs.size() != in.queries.size()) {
            throw new IllegalArgumentException("each of the queries must have an out: queries=" + in.queries.size()
                + " outs=" + in.outs.size());
        }
        if (in.queries.isEmpty()) {
            return;
        }
        long batch = Operands.threeDims(in.queries.get(0), queryNames.of(0)).size(BATCH);
        for (int i = 0; i < in.queries.size(); i++) {
            View query = sequence(in.queries.get(i), queryNames.of(i), batch);
            View out = sequence(in.outs.get(i), outNames.of(i), batch);
            Check.size(out, outNames.of(i), ROWS, query.size(ROWS), "queries");
            Check.writable(out, outNames.of(i));
            layers.out().checkOut(out, outNames.of(i));
            for (int j = 0; j < i; j++) {
                Check.disjoint(out, outNames.of(i), View.of(in.outs.get(j), outNames.of(j)), outNames.of(j));
            }
        }
        for (int i = 0; i < in.sources.size(); i++) {
            sequence(in.sources.get(i), sourceNames.of(i), batch);
        }
        checkScores(in, batch, rows(in.queries), rows(in.sources));
    }

    private void checkScores(GeneralizedInputs in, long batch, long queries, long keys) {
        Operands.mask(in.mask, batch, blueprint.heads(), queries, keys);
        if (in.weights == null) {
            return;
        }
        View weights = Operands.weights(in.weights, batch, blueprint.heads(), queries, keys);
        for (int i = 0; i < in.outs.size(); i++) {
            Check.disjoint(weights, "weights", View.of(in.outs.get(i), outNames.of(i)), outNames.of(i));
        }
    }

    private View sequence(Tensor tensor, String name, long batch) {
        View view = Operands.sequence(tensor, name, blueprint.width());
        Check.size(view, name, BATCH, batch, "batch");
        return view;
    }
}
