// SPDX-License-Identifier: Apache-2.0
// Attention, then feed-forward, each with a norm before it and a residual connection around both.
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.nn.GroupedQueryAttention;
import io.github.attn4j.nn.LayerNorm;
import io.github.attn4j.nn.RmsNorm;
import io.github.attn4j.nn.RotaryEmbedding;
import io.github.attn4j.nn.SwiGlu;
import io.github.attn4j.tensor.Tensor;

/**
 * A layer of a decoder.
 *
 * @param attentionNorm before attention
 * @param attention causal, with a cache
 * @param feedForwardNorm before the feed-forward
 * @param feedForward between norm and residual
 * @param memory what the feed-forward holds
 */
record DecoderLayer(Step attentionNorm, GroupedQueryAttention attention, Step feedForwardNorm, Step feedForward,
        AutoCloseable memory) {
    /** From [1, rows, width] to the same. */
    interface Step {
        void run(Tensor x, Tensor out);
    }

    static DecoderLayer llama(DecoderShape shape, RandomWeights weights, RotaryEmbedding rotary, int threads) {
        GroupedQueryAttention attention = GroupedQueryAttention.builder(shape.width(), shape.heads(), shape.kvHeads())
                .causal().rotary(rotary).threads(threads).build();
        attention.load(weights.state(attention.parameters()));
        SwiGlu feedForward = SwiGlu.builder(shape.width(), shape.hidden()).threads(threads).build();
        feedForward.load(weights.state(feedForward.parameters()));
        return new DecoderLayer(rmsNorm(shape, weights, threads), attention, rmsNorm(shape, weights, threads),
                (x, out) -> feedForward.run(x, null, out), feedForward);
    }

    static DecoderLayer gpt2(DecoderShape shape, RandomWeights weights, int threads) {
        GroupedQueryAttention attention = GroupedQueryAttention.builder(shape.width(), shape.heads(), shape.kvHeads())
                .causal().withBias().threads(threads).build();
        attention.load(weights.state(attention.parameters()));
        GeluFeedForward feedForward = new GeluFeedForward(weights, shape.width(), shape.hidden(), threads);
        return new DecoderLayer(layerNorm(shape, weights, threads), attention, layerNorm(shape, weights, threads),
                feedForward::run, feedForward);
    }

    /** The norm of a family, as it also comes after the last layer. */
    static Step norm(DecoderShape shape, RandomWeights weights, int threads) {
        return shape.family() == DecoderShape.Family.LLAMA ? rmsNorm(shape, weights, threads)
                : layerNorm(shape, weights, threads);
    }

    private static Step rmsNorm(DecoderShape shape, RandomWeights weights, int threads) {
        RmsNorm norm = RmsNorm.builder(weights.factors(shape.width())).threads(threads).build();
        return norm::run;
    }

    private static Step layerNorm(DecoderShape shape, RandomWeights weights, int threads) {
        LayerNorm norm = LayerNorm.builder(weights.factors(shape.width()), weights.spread(0.1, shape.width()))
                .threads(threads).build();
        return norm::run;
    }
}
