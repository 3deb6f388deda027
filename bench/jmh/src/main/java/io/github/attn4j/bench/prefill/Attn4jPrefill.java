// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionPlan;
import io.github.attn4j.bench.Attn4jContender;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;

/** attn4j: one planned call, in each storage type. */
public final class Attn4jPrefill extends Attn4jContender {
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final AttentionPlan plan;

    /** Plans attention over these inputs, rounded to {@code type}. */
    public Attn4jPrefill(AttentionOperands in, DType type) {
        super(in.threads(), type, in.shape().queryShape());
        AttentionShape s = in.shape();
        q = tensor(in.q(), s.queryShape());
        k = tensor(in.k(), s.keyShape());
        v = tensor(in.v(), s.keyShape());
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
    public String describe() {
        return super.describe() + ", " + plan.explain();
    }

    @Override
    public void close() {
        plan.close();
        super.close();
    }
}
