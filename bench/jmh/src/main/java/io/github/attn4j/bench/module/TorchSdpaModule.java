// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import io.github.attn4j.bench.TorchContender;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's faster way: linear layers around scaled_dot_product_attention on views of the packed projection. */
public final class TorchSdpaModule extends TorchContender {
    private final ModuleShape s;
    private final Tensor x;
    private final Tensor inWeight;
    private final Tensor outWeight;
    private final TensorOptional inBias;
    private final TensorOptional outBias;
    private Tensor out;

    /** Copies input and weights, rounded to {@code type}: f32 or bf16. */
    public TorchSdpaModule(ModuleOperands in, String type) {
        super(in.threads(), type);
        s = in.shape();
        long width = s.width();
        x = session.tensor(in.x(), s.batch(), s.rows(), width);
        inWeight = session.tensor(in.inWeight(), 3 * width, width);
        inBias = new TensorOptional(session.tensor(in.inBias(), 3 * width));
        outWeight = session.tensor(in.outWeight(), width, width);
        outBias = new TensorOptional(session.tensor(in.outBias(), width));
    }

    @Override
    public void run() {
        if (out != null) {
            out.close();
        }
        try (PointerScope temporaries = new PointerScope()) {
            Tensor packed = torch.linear(x, inWeight, inBias);
            Tensor heads = packed.view(s.batch(), s.rows(), 3, s.heads(), s.headDim()).permute(2, 0, 3, 1, 4);
            Tensor attended =
                    torch.scaled_dot_product_attention(heads.select(0, 0), heads.select(0, 1), heads.select(0, 2));
            Tensor joined = attended.transpose(1, 2).reshape(s.batch(), s.rows(), s.width());
            out = torch.linear(joined, outWeight, outBias).retainReference();
        }
    }

    @Override
    public float[] output() {
        return session.floats(out);
    }

    @Override
    public String describe() {
        return super.describe() + ", linear and scaled_dot_product_attention";
    }
}
