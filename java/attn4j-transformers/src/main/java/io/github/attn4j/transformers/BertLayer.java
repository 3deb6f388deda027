// SPDX-License-Identifier: Apache-2.0
// One transformer layer of BERT over a packed batch: attention, then feed-forward, each with a residual connection and
// a norm after it (arXiv:1810.04805). The three projections of queries, keys and values are one, with the weights side
// by side; attention reads its result through strided views.
package io.github.attn4j.transformers;

import io.github.attn4j.nn.Activation;
import io.github.attn4j.nn.LayerNorm;
import io.github.attn4j.nn.Linear;
import io.github.attn4j.nn.WeightLayout;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;

final class BertLayer {
    /** What a layer is made of, still in the file's own tensors. */
    record Source(
            List<BertGraph.LinearSource> queryKeyValue,
            BertGraph.LinearSource attentionOutput,
            BertGraph.NormSource attentionNorm,
            BertGraph.LinearSource up,
            BertGraph.LinearSource down,
            BertGraph.NormSource outputNorm) {

        static Source of(BertGraph graph, BertConfig config, int layer) {
            String start = "encoder.layer." + layer + ".";
            int hidden = config.hidden();
            return new Source(
                    List.of(
                            graph.linear(start + "attention.self.query", hidden, hidden),
                            graph.linear(start + "attention.self.key", hidden, hidden),
                            graph.linear(start + "attention.self.value", hidden, hidden)),
                    graph.linear(start + "attention.output.dense", hidden, hidden),
                    graph.norm(start + "attention.output.LayerNorm", hidden),
                    graph.linear(start + "intermediate.dense", hidden, config.intermediate()),
                    graph.linear(start + "output.dense", config.intermediate(), hidden),
                    graph.norm(start + "output.LayerNorm", hidden));
        }
    }

    private final Linear queryKeyValue;
    private final Linear attentionOutput;
    private final LayerNorm attentionNorm;
    private final Linear up;
    private final Linear down;
    private final LayerNorm outputNorm;

    /** Packs the three projections into {@code scope}; everything else stays where it is. */
    BertLayer(TensorScope scope, Source source, int threads) {
        queryKeyValue = packed(scope, source.queryKeyValue(), threads);
        attentionOutput = linear(source.attentionOutput(), Activation.IDENTITY, threads);
        attentionNorm = norm(source.attentionNorm(), threads);
        up = linear(source.up(), Activation.GELU, threads);
        down = linear(source.down(), Activation.IDENTITY, threads);
        outputNorm = norm(source.outputNorm(), threads);
    }

    /** Replaces the batch's hidden states by this layer's; weights may be null, or as {@link PackedBatch#attend}. */
    void run(PackedBatch batch, PackedBatch.Views views, Tensor weights) {
        Tensor hidden = views.hidden();
        Tensor projected = views.projected();
        queryKeyValue.run(hidden, views.queryKeyValue());
        batch.attend(views, weights);
        attentionOutput.run(views.flatContext(), hidden, projected);
        attentionNorm.run(projected, hidden);
        up.run(hidden, views.intermediate());
        down.run(views.intermediate(), hidden, projected);
        outputNorm.run(projected, hidden);
    }

    static LayerNorm norm(BertGraph.NormSource source, int threads) {
        return LayerNorm.builder(source.gamma(), source.beta())
                .epsilon(source.epsilon())
                .threads(threads)
                .build();
    }

    private static Linear linear(BertGraph.LinearSource source, Activation activation, int threads) {
        return Linear.builder(source.weight())
                .layout(source.layout())
                .bias(source.bias())
                .activation(activation)
                .threads(threads)
                .build();
    }

    private static Linear packed(TensorScope scope, List<BertGraph.LinearSource> parts, int threads) {
        WeightLayout layout = parts.get(0).layout();
        int across = layout == WeightLayout.OUT_IN ? 0 : 1;
        long out = parts.get(0).bias().size(0);
        long in = parts.get(0).weight().size(1 - across);
        long all = out * parts.size();
        Tensor weight = across == 0 ? scope.zeros(DType.FLOAT32, all, in) : scope.zeros(DType.FLOAT32, in, all);
        Tensor bias = scope.zeros(DType.FLOAT32, all);
        for (int i = 0; i < parts.size(); i++) {
            BertGraph.LinearSource part = parts.get(i);
            Tensor source = part.layout() == layout ? part.weight() : part.weight().transpose(0, 1);
            weight.slice(across, i * out, (i + 1) * out).copyFrom(source);
            bias.slice(0, i * out, (i + 1) * out).copyFrom(part.bias());
        }
        return linear(new BertGraph.LinearSource("", weight, layout, bias), Activation.IDENTITY, threads);
    }
}
