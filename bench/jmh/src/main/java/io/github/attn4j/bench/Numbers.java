// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;

/** Inputs that are the same for every contender, and the layouts in which libraries want them. */
public final class Numbers {
    private Numbers() {}

    /** {@return {@code count} numbers of the standard normal distribution, times {@code scale}} */
    public static float[] normal(long count, double scale, long seed) {
        Random random = new Random(seed);
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * scale);
        }
        return values;
    }

    /** {@return a direct buffer of native order with a copy of these numbers} */
    public static FloatBuffer direct(float[] values) {
        FloatBuffer buffer = direct(values.length);
        buffer.put(values).flip();
        return buffer;
    }

    /** {@return a direct buffer of native order} */
    public static FloatBuffer direct(int count) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(count, Float.BYTES))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** {@return all a direct buffer holds} */
    public static float[] array(FloatBuffer buffer) {
        float[] values = new float[buffer.capacity()];
        buffer.duplicate().clear().get(values);
        return values;
    }

    /** {@return [batch, a, b, width] as [batch, b, a, width]: heads first to rows first, or the other way round} */
    public static float[] swapped(float[] x, int batch, int a, int b, int width) {
        float[] y = new float[x.length];
        for (int n = 0; n < batch; n++) {
            for (int i = 0; i < a; i++) {
                for (int j = 0; j < b; j++) {
                    System.arraycopy(x, ((n * a + i) * b + j) * width, y, ((n * b + j) * a + i) * width, width);
                }
            }
        }
        return y;
    }
}
