// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;

/** A problem with what it should give; runs it on an instruction set and compares. */
final class Trial implements AutoCloseable {
    private final Problem p;
    private final TrialInputs in;
    private final TrialTruth truth;
    private final float[] unwritten;

    Trial(Problem p) {
        this.p = p;
        in = new TrialInputs(p);
        truth = new TrialTruth(in);
        long rows = in.ragged ? in.cuQueries[in.batch] : (long) in.batch * in.queries;
        unwritten = new float[(int) (in.heads * p.get("valueDim") * rows)];
        Arrays.fill(unwritten, Samples.MARK);
    }

    /** Null, or the first difference. Any number of threads may. */
    String run(Isa isa) {
        try (TensorScope own = TensorScope.open()) {
            return run(own, isa);
        }
    }

    private String run(TensorScope scope, Isa isa) {
        Tensor out = in.operand(scope, 3, in.heads, p.get("valueDim")).copyFrom(unwritten);
        Tensor lse = !p.is("lse") ? null : in.ragged ? Samples.marked(scope, in.heads, in.cuQueries[in.batch])
            : Samples.marked(scope, in.batch, in.heads, in.queries);
        Tensor scores = p.stage() == null ? null : p.averaged() ? Samples.marked(scope, in.batch, in.queries, in.keys)
            : Samples.marked(scope, in.batch, in.heads, in.queries, in.keys);
        AttentionInputs inputs = inputs(scope, out).lse(lse).scores(scores);
        try (AttentionPlan plan = attention(isa).plan(inputs)) {
            if (!plan.isa().equals(isa.label())) {
                return "isa expected=" + isa.label() + " actual=" + plan.isa();
            }
            plan.run(inputs);
        }
        return truth.compare(out.toFloatArray(), lse == null ? null : lse.toFloatArray(),
            scores == null ? null : scores.toFloatArray());
    }

    private AttentionInputs inputs(TensorScope scope, Tensor out) {
        StoredRows k = in.table == null ? in.k : in.k.paged(scope, in.table, p.get("pageRows"), in.cuKeys);
        StoredRows v = in.table == null ? in.v : in.v.paged(scope, in.table, p.get("pageRows"), in.cuKeys);
        AttentionInputs inputs = AttentionInputs.of(in.q, k.rows, v.rows, out).scales(k.scales, v.scales)
            .bias(in.bias).mask(in.mask).seed(in.seed());
        inputs.pages(in.table == null ? null : scope.of(in.table, in.batch, in.keys / p.get("pageRows")));
        inputs.keyLengths(p.is("keyLengths") ? scope.of(in.keyLengths, in.batch) : null);
        inputs.offsets(p.is("offsets") ? scope.of(in.offsets, in.batch) : null);
        inputs.slopes(in.slopes == null ? null : scope.of(in.slopes, in.heads));
        inputs.sinks(in.sinks == null ? null : scope.of(in.sinks, in.heads));
        return !in.ragged ? inputs : inputs.cumulative(scope.of(in.cuQueries, in.batch + 1),
            scope.of(in.cuKeys, in.batch + 1));
    }

    private Attention attention(Isa isa) {
        Attention.Builder builder = Attention.builder().isa(isa).threads(p.get("threads")).scale(in.scale())
            .window(p.get("left"), p.get("right")).softcap(p.get("softcap")).dropout(p.dropout());
        if (p.is("causal")) {
            builder.causal();
        }
        if (p.is("topLeft")) {
            builder.alignment(Alignment.TOP_LEFT);
        }
        if (in.ragged) {
            builder.ragged();
        }
        if (p.stage() != null) {
            builder.scores(p.stage());
        }
        return (p.averaged() ? builder.averagedWeights() : builder).build();
    }

    @Override
    public String toString() {
        return p.toString();
    }

    @Override
    public void close() {
        in.close();
    }
}
