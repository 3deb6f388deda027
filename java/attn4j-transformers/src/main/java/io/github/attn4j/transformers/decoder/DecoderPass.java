// SPDX-License-Identifier: Apache-2.0
// The way of a fixed number of tokens through a decoder, with the memory it takes: one pass for the prompt, one for
// each token after it.
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.nn.Add;
import io.github.attn4j.nn.Forward;
import io.github.attn4j.nn.ModuleInputs;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/** Appends tokens to caches and gives the logits of what comes after the last. Not thread-safe. */
final class DecoderPass implements AutoCloseable {
    private final Decoder decoder;
    private final TensorScope scope = TensorScope.open();
    private final Add add;
    private final Tensor ids;
    private final Tensor positions;
    private final Tensor rows;
    private final Tensor hidden;
    private final Tensor normed;
    private final Tensor change;
    private final Tensor last;
    private final Tensor logits;
    private final List<Forward> forwards = new ArrayList<>();
    private final ModuleInputs inputs;
    private final int[] numbers;

    DecoderPass(Decoder decoder, int tokens) {
        this.decoder = decoder;
        long width = decoder.shape.width();
        numbers = new int[tokens];
        add = Add.builder().threads(decoder.threads).build();
        ids = scope.zeros(DType.INT32, tokens);
        positions = scope.zeros(DType.INT32, tokens);
        rows = scope.zeros(DType.FLOAT32, tokens, width);
        hidden = rows.reshape(1, tokens, width);
        normed = scope.zeros(DType.FLOAT32, 1, tokens, width);
        change = scope.zeros(DType.FLOAT32, 1, tokens, width);
        last = normed.slice(1, tokens - 1L, tokens);
        logits = scope.zeros(DType.FLOAT32, 1, 1, decoder.shape.vocabulary());
        inputs = ModuleInputs.of(normed, change);
        decoder.layers.forEach(layer -> forwards.add(layer.attention().plan(1, tokens, tokens)));
    }

    /**
     * Takes the next tokens, as many as the pass is for.
     *
     * @param tokens their numbers
     * @param caches of each layer
     * @return the logits [1, 1, vocabulary] after the last of them, until the next call
     */
    Tensor run(int[] tokens, DecoderCaches caches) {
        ids.copyFrom(tokens);
        decoder.embedding.run(ids, rows);
        if (decoder.positions != null) {
            int start = (int) caches.length();
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = start + i;
            }
            decoder.positions.runAdding(positions.copyFrom(numbers), rows);
        }
        for (int i = 0; i < forwards.size(); i++) {
            DecoderLayer layer = decoder.layers.get(i);
            layer.attentionNorm().run(hidden, normed);
            caches.give(i, inputs);
            forwards.get(i).run(inputs);
            add.run(hidden, change, hidden);
            layer.feedForwardNorm().run(hidden, normed);
            layer.feedForward().run(normed, change);
            add.run(hidden, change, hidden);
        }
        decoder.norm.run(hidden, normed);
        decoder.logits.run(last, logits);
        return logits;
    }

    @Override
    public void close() {
        forwards.forEach(Forward::close);
        scope.close();
    }
}
