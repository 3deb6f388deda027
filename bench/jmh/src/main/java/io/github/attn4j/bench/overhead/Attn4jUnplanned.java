// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.overhead;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.bench.Attn4jContender;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.tensor.DType;

/** attn4j's simple way: {@link Attention#run}, which keeps the plan of the last call for itself. */
public final class Attn4jUnplanned extends Attn4jContender {
    private final Attention attention;
    private final AttentionInputs inputs;

    /** Copies these inputs. */
    public Attn4jUnplanned(AttentionOperands in) {
        super(in.threads(), DType.FLOAT32, in.shape().queryShape());
        AttentionShape s = in.shape();
        Attention.Builder options = Attention.builder();
        if (s.causal()) {
            options.causal();
        }
        attention = options.build();
        inputs = AttentionInputs.of(tensor(in.q(), s.queryShape()),
                tensor(in.k(), s.keyShape()), tensor(in.v(), s.keyShape()), out);
    }

    @Override
    public void run() {
        attention.run(inputs);
    }

    @Override
    public String describe() {
        return super.describe() + ", not planned by the caller";
    }
}
