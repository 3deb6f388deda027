// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.nn.Activation;
import io.github.attn4j.nn.Linear;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The feed-forward of GPT-2, {@code down(gelu(up(x)))}, with the exact GELU. Not thread-safe. */
final class GeluFeedForward implements AutoCloseable {
    private final Linear up;
    private final Linear down;
    private TensorScope scope = TensorScope.open();
    private Tensor between;

    GeluFeedForward(RandomWeights weights, long width, long hidden, int threads) {
        up = Linear.builder(weights.linear(hidden, width)).bias(weights.spread(0.1, hidden))
                .activation(Activation.GELU).threads(threads).build();
        down = Linear.builder(weights.linear(width, hidden)).bias(weights.spread(0.1, width)).threads(threads).build();
    }

    /** x and out are [1, rows, width]; memory is made where the number of rows changes. */
    void run(Tensor x, Tensor out) {
        if (between == null || between.size(1) != x.size(1)) {
            scope.close();
            scope = TensorScope.open();
            between = scope.zeros(DType.FLOAT32, 1, x.size(1), up.outFeatures());
        }
        up.run(x, between);
        down.run(between, out);
    }

    @Override
    public void close() {
        scope.close();
    }
}
