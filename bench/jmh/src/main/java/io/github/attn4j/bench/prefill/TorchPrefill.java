// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.TorchContender;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's scaled_dot_product_attention, which chooses its flash kernel for CPUs by itself, without gradients. */
public final class TorchPrefill extends TorchContender {
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final boolean causal;
    private final boolean grouped;
    private final TensorOptional noMask = new TensorOptional();
    private final DoubleOptional defaultScale = new DoubleOptional();
    private Tensor out;

    /** Copies these inputs, rounded to {@code type}: f32 or bf16. */
    public TorchPrefill(AttentionOperands in, String type) {
        super(in.threads(), type);
        AttentionShape s = in.shape();
        q = session.tensor(in.q(), s.queryShape());
        k = session.tensor(in.k(), s.keyShape());
        v = session.tensor(in.v(), s.keyShape());
        // Its causal mask has the first query at the first key, so a single query, which sees all, goes without.
        causal = s.causal() && s.queries() > 1;
        if (causal && s.queries() != s.keys()) {
            throw new IllegalArgumentException("PyTorch's causal mask needs as many queries as keys: queries="
                    + s.queries() + " keys=" + s.keys());
        }
        grouped = s.group() > 1;
    }

    @Override
    public void run() {
        if (out != null) {
            out.close();
        }
        out = torch.scaled_dot_product_attention(q, k, v, noMask, 0, causal, defaultScale, grouped);
    }

    @Override
    public float[] output() {
        return session.floats(out);
    }
}
