// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Shape;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** Weights that keep numbers about as large as they come, the same for a seed. */
final class RandomWeights {
    private static final int PART = 1 << 16;

    private final TensorScope scope;
    private final SplittableRandom random;
    private long count;

    RandomWeights(TensorScope scope, long seed) {
        this.scope = scope;
        random = new SplittableRandom(seed);
    }

    /** How many there are so far. */
    long count() {
        return count;
    }

    /** Uniform, with this standard deviation. */
    Tensor spread(double deviation, long... sizes) {
        Tensor tensor = scope.zeros(DType.FLOAT32, sizes);
        Tensor all = tensor.reshape(tensor.elements());
        float most = (float) (Math.sqrt(3) * deviation);
        for (long from = 0; from < all.elements(); from += PART) {
            long to = Math.min(all.elements(), from + PART);
            float[] values = new float[(int) (to - from)];
            for (int i = 0; i < values.length; i++) {
                values[i] = ((int) random.nextLong() >> 8) * 0x1p-23f * most;
            }
            all.slice(0, from, to).copyFrom(values);
        }
        count += tensor.elements();
        return tensor;
    }

    /** Of a linear layer [out, in]. */
    Tensor linear(long out, long in) {
        return spread(1 / Math.sqrt(in), out, in);
    }

    /** The factors of a norm, about 1. */
    Tensor factors(long width) {
        float[] values = spread(0.1, width).toFloatArray();
        for (int i = 0; i < values.length; i++) {
            values[i] += 1;
        }
        return scope.of(values, width);
    }

    /** Whatever a module asks for. */
    Map<String, Tensor> state(Map<String, Shape> parameters) {
        Map<String, Tensor> state = new LinkedHashMap<>();
        parameters.forEach((name, shape) -> state.put(name,
                spread(shape.rank() == 1 ? 0.1 : 1 / Math.sqrt(shape.size(-1)), shape.toArray())));
        return state;
    }
}
