// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.overhead;

import io.github.attn4j.Attn4j;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** attn4j's simple way: {@link Attention#run}, which keeps the plan of the last call for itself. */
public final class Attn4jUnplanned implements Contender {
    private final TensorScope scope = TensorScope.open();
    private final Attention attention;
    private final io.github.attn4j.attention.AttentionInputs inputs;
    private final Tensor out;

    /** Copies these inputs. */
    public Attn4jUnplanned(io.github.attn4j.bench.AttentionInputs in) {
        Attn4j.threads(in.threads());
        AttentionShape s = in.shape();
        Attention.Builder options = Attention.builder();
        if (s.causal()) {
            options.causal();
        }
        attention = options.build();
        out = scope.zeros(DType.FLOAT32, s.queryShape());
        inputs = io.github.attn4j.attention.AttentionInputs.of(scope.of(in.q(), s.queryShape()),
                scope.of(in.k(), s.keyShape()), scope.of(in.v(), s.keyShape()), out);
    }

    @Override
    public void run() {
        attention.run(inputs);
    }

    @Override
    public float[] output() {
        return out.toFloatArray();
    }

    @Override
    public String describe() {
        return Attn4jTypes.describe() + ", not planned by the caller";
    }

    @Override
    public void close() {
        scope.close();
    }
}
