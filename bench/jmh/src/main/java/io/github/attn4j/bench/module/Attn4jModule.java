// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import io.github.attn4j.Attn4j;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.nn.TorchForward;
import io.github.attn4j.nn.TorchInputs;
import io.github.attn4j.nn.TorchMultiheadAttention;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Map;

/** attn4j's drop-in for nn.MultiheadAttention, planned. */
public final class Attn4jModule implements Contender {
    private final TensorScope scope = TensorScope.open();
    private final TorchForward forward;
    private final TorchInputs inputs;
    private final Tensor out;

    /** Loads the weights. */
    public Attn4jModule(ModuleInputs in) {
        Attn4j.threads(in.threads());
        ModuleShape s = in.shape();
        long width = s.width();
        TorchMultiheadAttention attention =
                TorchMultiheadAttention.builder(width, s.heads()).batchFirst().build();
        attention.load(Map.of(
                "in_proj_weight", scope.of(in.inWeight(), 3 * width, width),
                "in_proj_bias", scope.of(in.inBias(), 3 * width),
                "out_proj.weight", scope.of(in.outWeight(), width, width),
                "out_proj.bias", scope.of(in.outBias(), width)));
        Tensor x = scope.of(in.x(), s.batch(), s.rows(), width);
        out = scope.zeros(DType.FLOAT32, s.batch(), s.rows(), width);
        inputs = TorchInputs.of(x, x, x, out);
        forward = attention.plan(s.batch(), s.rows(), s.rows());
    }

    @Override
    public void run() {
        forward.run(inputs);
    }

    @Override
    public float[] output() {
        return out.toFloatArray();
    }

    @Override
    public String describe() {
        return Attn4jTypes.describe();
    }

    @Override
    public void close() {
        forward.close();
        scope.close();
    }
}
