// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Alignment;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.tensor.Tensor;
import java.util.Map;

/** The parts of PyTorch's nn.MultiheadAttention: options, names and shapes of its state, the layers of a load. */
final class TorchBlueprint {
    final ModuleBuilder<?> options;
    final long kdim;
    final long vdim;
    final boolean addBiasKv;
    final boolean addZeroAttn;
    final boolean batchFirst;

    TorchBlueprint(TorchMultiheadAttention.Builder builder) {
        builder.headDim();
        options = builder;
        kdim = builder.kdim;
        vdim = builder.vdim;
        addBiasKv = builder.addBiasKv;
        addZeroAttn = builder.addZeroAttn;
        batchFirst = builder.batchFirst;
    }

    /** Which dimension of a sequence is the batch; the other of the first two is that of rows. */
    int batchDim() {
        return batchFirst ? 0 : 1;
    }

    /** Whether the three projections are one weight. */
    boolean packed() {
        return kdim == options.width && vdim == options.width;
    }

    /** Keys and values that stand behind those of the input. */
    long extra() {
        return (addBiasKv ? 1 : 0) + (addZeroAttn ? 1 : 0);
    }

    Parameters parameters() {
        long width = options.width;
        Parameters parameters = new Parameters("TorchMultiheadAttention");
        if (packed()) {
            parameters.add("in_proj_weight", 3 * width, width);
        } else {
            parameters.add("q_proj_weight", width, width).add("k_proj_weight", width, kdim)
                .add("v_proj_weight", width, vdim);
        }
        if (options.bias) {
            parameters.add("in_proj_bias", 3 * width);
        }
        if (addBiasKv) {
            parameters.add("bias_k", 1, 1, width).add("bias_v", 1, 1, width);
        }
        return parameters.linear("out_proj", width, width, options.bias);
    }

    /** Parts of the packed projection are views of it. */
    Layers layers(Map<String, Tensor> state) {
        Linear out = options.linear(state, "out_proj");
        Tensor biasK = state.get("bias_k");
        Tensor biasV = state.get("bias_v");
        if (!packed()) {
            Tensor bias = state.get("in_proj_bias");
            return new Layers(null, null, options.linear(state.get("q_proj_weight"), part(bias, 0, 1)),
                options.linear(state.get("k_proj_weight"), part(bias, 1, 2)),
                options.linear(state.get("v_proj_weight"), part(bias, 2, 3)), out, biasK, biasV);
        }
        return new Layers(packed(state, 0, 3), packed(state, 1, 3), packed(state, 0, 1), packed(state, 1, 2),
            packed(state, 2, 3), out, biasK, biasV);
    }

    /** Attention of one forward: weights not written, averaged or of each head. */
    Attention attention(boolean dropping, boolean causal, int weightsRank) {
        Attention.Builder builder = options.attention(dropping);
        if (causal) {
            builder.causal().alignment(Alignment.TOP_LEFT);
        }
        return (weightsRank == 0 ? builder : weightsRank == 3 ? builder.averagedWeights() : builder.weights()).build();
    }

    private Linear packed(Map<String, Tensor> state, int from, int to) {
        return options.linear(part(state.get("in_proj_weight"), from, to), part(state.get("in_proj_bias"), from, to));
    }

    /** Rows of one or more of the three projections. */
    private Tensor part(Tensor packed, int from, int to) {
        return packed == null ? null : packed.slice(0, from * options.width, to * options.width);
    }

    /** The layers of one load; `all` and `keyValue` are null where the weights are not one. */
    record Layers(Linear all, Linear keyValue, Linear query, Linear key, Linear value, Linear out, Tensor biasK,
                  Tensor biasV) {}
}
