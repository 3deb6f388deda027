// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j;

import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Random;
import java.util.stream.Stream;

/** Values for tests. */
public final class Samples {
    /** In elements that a test must find unwritten. */
    public static final float MARK = 77;

    private Samples() {}

    /** The instruction sets this machine has. */
    public static Stream<Isa> isas() {
        return Stream.of(Isa.values()).filter(isa -> isa != Isa.DEFAULT && isa.isSupported());
    }

    /** Unit-normal values, the same for a seed. */
    public static float[] normal(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** A contiguous tensor of unit-normal values. */
    public static Tensor normal(TensorScope scope, long seed, long... sizes) {
        Tensor tensor = scope.zeros(DType.FLOAT32, sizes);
        return tensor.copyFrom(normal(seed, (int) tensor.elements()));
    }

    /** A tensor full of the mark. */
    public static Tensor marked(TensorScope scope, long... sizes) {
        Tensor tensor = scope.zeros(DType.FLOAT32, sizes);
        float[] values = new float[(int) tensor.elements()];
        java.util.Arrays.fill(values, MARK);
        return tensor.copyFrom(values);
    }
}
