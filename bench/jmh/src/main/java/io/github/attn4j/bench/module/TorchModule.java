// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import io.github.attn4j.bench.Numbers;
import io.github.attn4j.bench.TorchContender;
import org.bytedeco.pytorch.MultiheadAttentionImpl;
import org.bytedeco.pytorch.StringTensorDict;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;

/** PyTorch's nn.MultiheadAttention without weights as a result; it wants rows before the batch. */
public final class TorchModule extends TorchContender {
    private final ModuleShape s;
    private final MultiheadAttentionImpl attention;
    private final Tensor x;
    private final Tensor none = new Tensor();
    private T_TensorTensor_T result;

    /** Copies the weights. */
    public TorchModule(ModuleOperands in) {
        super(in.threads(), "f32");
        s = in.shape();
        long width = s.width();
        attention = new MultiheadAttentionImpl(width, s.heads());
        attention.eval();
        StringTensorDict parameters = attention.named_parameters();
        parameters.get("in_proj_weight").copy_(session.tensor(in.inWeight(), 3 * width, width));
        parameters.get("in_proj_bias").copy_(session.tensor(in.inBias(), 3 * width));
        parameters.get("out_proj.weight").copy_(session.tensor(in.outWeight(), width, width));
        parameters.get("out_proj.bias").copy_(session.tensor(in.outBias(), width));
        x = session.tensor(Numbers.swapped(in.x(), 1, s.batch(), s.rows(), s.width()), s.rows(), s.batch(), width);
    }

    @Override
    public void run() {
        if (result != null) {
            result.close();
        }
        result = attention.forward(x, x, x, none, false, none, false);
    }

    @Override
    public float[] output() {
        return Numbers.swapped(session.floats(result.get0()), 1, s.rows(), s.batch(), s.width());
    }

    @Override
    public String describe() {
        return super.describe() + ", nn.MultiheadAttention";
    }
}
