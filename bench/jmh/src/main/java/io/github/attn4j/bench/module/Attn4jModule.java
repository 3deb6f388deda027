// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import io.github.attn4j.bench.Attn4jContender;
import io.github.attn4j.nn.TorchForward;
import io.github.attn4j.nn.TorchInputs;
import io.github.attn4j.nn.TorchMultiheadAttention;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import java.util.Map;

/** attn4j's drop-in for nn.MultiheadAttention, planned. */
public final class Attn4jModule extends Attn4jContender {
    private final TorchForward forward;
    private final TorchInputs inputs;

    /** Loads the weights. */
    public Attn4jModule(ModuleOperands in) {
        super(in.threads(), DType.FLOAT32, in.shape().batch(), in.shape().rows(), in.shape().width());
        ModuleShape s = in.shape();
        long width = s.width();
        TorchMultiheadAttention attention =
                TorchMultiheadAttention.builder(width, s.heads()).batchFirst().build();
        attention.load(Map.of(
                "in_proj_weight", tensor(in.inWeight(), 3 * width, width),
                "in_proj_bias", tensor(in.inBias(), 3 * width),
                "out_proj.weight", tensor(in.outWeight(), width, width),
                "out_proj.bias", tensor(in.outBias(), width)));
        Tensor x = tensor(in.x(), s.batch(), s.rows(), width);
        inputs = TorchInputs.of(x, x, x, out);
        forward = attention.plan(s.batch(), s.rows(), s.rows());
    }

    @Override
    public void run() {
        forward.run(inputs);
    }

    @Override
    public void close() {
        forward.close();
        super.close();
    }
}
