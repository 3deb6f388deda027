// SPDX-License-Identifier: Apache-2.0
// A decoder-only language model: tokens to hidden states, layers, a norm, and back by the same embedding.
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.nn.Embedding;
import io.github.attn4j.nn.Linear;
import io.github.attn4j.nn.RotaryEmbedding;
import io.github.attn4j.nn.RotaryTables;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/** A model of a shape with random weights. One call at a time: its layers have working memory. */
final class Decoder implements AutoCloseable {
    private static final double LLAMA_ROTARY_BASE = 10_000;

    final DecoderShape shape;
    final int threads;
    final List<DecoderLayer> layers = new ArrayList<>();
    final Embedding embedding;
    /** Of learned positions; null where attention turns queries and keys instead. */
    final Embedding positions;
    final DecoderLayer.Step norm;
    final Linear logits;
    private final TensorScope scope = TensorScope.open();
    private final long parameters;

    Decoder(DecoderShape shape, long seed, int threads) {
        this.shape = shape;
        this.threads = threads;
        RandomWeights weights = new RandomWeights(scope, seed);
        Tensor table = weights.spread(1 / Math.sqrt(shape.width()), shape.vocabulary(), shape.width());
        embedding = Embedding.builder(table).threads(threads).build();
        logits = Linear.builder(table).threads(threads).build();
        if (shape.family() == DecoderShape.Family.LLAMA) {
            positions = null;
            RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(shape.headDim())
                    .base(LLAMA_ROTARY_BASE).build(scope, shape.positions())).threads(threads).build();
            for (int layer = 0; layer < shape.layers(); layer++) {
                layers.add(DecoderLayer.llama(shape, weights, rotary, threads));
            }
        } else {
            positions = Embedding.builder(weights.spread(0.01, shape.positions(), shape.width())).threads(threads)
                    .build();
            for (int layer = 0; layer < shape.layers(); layer++) {
                layers.add(DecoderLayer.gpt2(shape, weights, threads));
            }
        }
        norm = DecoderLayer.norm(shape, weights, threads);
        parameters = weights.count();
    }

    long parameters() {
        return parameters;
    }

    @Override
    public void close() {
        for (DecoderLayer layer : layers) {
            try {
                layer.memory().close();
            } catch (Exception error) {
                throw new IllegalStateException("a layer's memory could not be freed", error);
            }
        }
        scope.close();
    }
}
