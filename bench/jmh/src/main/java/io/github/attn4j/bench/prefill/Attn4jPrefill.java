// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.Attn4j;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionPlan;
import io.github.attn4j.bench.AttentionInputs;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** attn4j: one planned call, in each storage type. */
public final class Attn4jPrefill implements Contender {
    private final TensorScope scope = TensorScope.open();
    private final DType type;
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final Tensor out;
    private final AttentionPlan plan;

    /** Plans attention over these inputs, rounded to {@code type}. */
    public Attn4jPrefill(AttentionInputs in, DType type) {
        Attn4j.threads(in.threads());
        AttentionShape s = in.shape();
        this.type = type;
        q = Attn4jTypes.tensor(scope, type, in.q(), s.queryShape());
        k = Attn4jTypes.tensor(scope, type, in.k(), s.keyShape());
        v = Attn4jTypes.tensor(scope, type, in.v(), s.keyShape());
        out = scope.zeros(type, s.queryShape());
        Attention.Builder options = Attention.builder();
        if (s.causal()) {
            options.causal();
        }
        plan = options.build().plan(q, k, v, out);
    }

    @Override
    public void run() {
        plan.run(q, k, v, out);
    }

    @Override
    public float[] output() {
        return out.cast(scope, DType.FLOAT32).toFloatArray();
    }

    @Override
    public double tolerance() {
        return Attn4jTypes.tolerance(type);
    }

    @Override
    public String describe() {
        return Attn4jTypes.describe() + ", " + plan.explain();
    }

    @Override
    public void close() {
        plan.close();
        scope.close();
    }
}
