// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import static io.github.attn4j.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Types of 16 and 8 bits, and conversions. */
class FloatTypesTest {
    private final TensorScope scope = TensorScope.open();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void bits() {
        short[] bits = {0x3F80, (short) 0xC000, 0x7F80, 0x0001};
        Tensor brain = scope.zeros(DType.BFLOAT16, 2, 2).copyFrom(bits);
        assertArrayEquals(bits, brain.toShortArray());
        assertArrayEquals(new float[] {1, -2, Float.POSITIVE_INFINITY, 0x1p-133f}, brain.toFloatArray());
        Tensor half = scope.zeros(DType.FLOAT16, 4).copyFrom(new short[] {0x3C00, (short) 0xC000, 0x7C00, 0x0001});
        assertArrayEquals(new float[] {1, -2, Float.POSITIVE_INFINITY, 0x1p-24f}, half.toFloatArray());
        assertEquals(-2, half.at(1));
        assertEquals(1, brain.transpose(0, 1).at(0, 0));
    }

    @Test
    void everyBrainFloatSurvivesTheRoundTrip() {
        short[] bits = new short[1 << 16];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (short) i;
        }
        Tensor brain = scope.zeros(DType.BFLOAT16, 256, 256).copyFrom(bits);
        float[] floats = brain.toFloatArray();
        short[] back = brain.cast(scope, DType.FLOAT32).cast(scope, DType.BFLOAT16).toShortArray();
        for (int i = 0; i < bits.length; i++) {
            float expected = Float.intBitsToFloat(i << 16);
            assertTrue(Float.isNaN(expected) ? Float.isNaN(floats[i]) : expected == floats[i]);
            assertTrue(Float.isNaN(expected) || bits[i] == back[i]);
        }
    }

    @Test
    void roundsToTheNearestTiesToEven() {
        float[] values = {1 + 0x1p-9f, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 3.4e38f};
        assertArrayEquals(new float[] {1, 1, 1 + 0x1p-6f, Float.POSITIVE_INFINITY},
            scope.zeros(DType.BFLOAT16, 4).copyFrom(values).toFloatArray());
        assertArrayEquals(new float[] {1, 1, 1 + 0x1p-9f, Float.POSITIVE_INFINITY}, scope.zeros(DType.FLOAT16, 4)
            .copyFrom(new float[] {1 + 0x1p-12f, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 65520}).toFloatArray());
    }

    @Test
    void castsBetweenAnyStrides() {
        float[] values = Samples.normal(1, 60);
        Tensor from = scope.of(values, 3, 4, 5);
        Tensor expected = from.cast(scope, DType.BFLOAT16);
        Tensor to = scope.zeros(DType.BFLOAT16, 5, 4, 4);
        to.transpose(0, 2).slice(0, 1, 4).castFrom(from);
        assertArrayEquals(expected.toShortArray(), to.transpose(0, 2).slice(0, 1, 4).toShortArray());
        Tensor rows = scope.zeros(DType.FLOAT32, 3, 4, 7).slice(2, 1, 6).castFrom(to.transpose(0, 2).slice(0, 1, 4));
        assertArrayEquals(expected.toFloatArray(), rows.toFloatArray());
        assertEquals(0, scope.zeros(DType.FLOAT16, 3, 0).cast(scope, DType.FLOAT32).elements());
        assertEquals(2.5f, scope.of(new float[] {2.5f}).cast(scope, DType.FLOAT16).at());
    }

    @Test
    void truthAndBytes() {
        boolean[] truth = {true, false, true, true, false, false};
        Tensor bool = scope.of(truth, 2, 3);
        assertArrayEquals(truth, bool.toBooleanArray());
        assertArrayEquals(new byte[] {1, 0, 0, 1, 1, 0},
            scope.zeros(DType.BOOL, 6).copyFrom(new byte[] {1, 0, 0, 1, 1, 0}).toByteArray());
        assertArrayEquals(new boolean[] {true, true, false, false, true, false}, bool.transpose(0, 1).toBooleanArray());
        byte[] bytes = {-128, 127};
        assertArrayEquals(bytes, scope.zeros(DType.INT8, 2).copyFrom(bytes).toByteArray());
        ByteBuffer buffer = ByteBuffer.allocateDirect(6).order(ByteOrder.nativeOrder());
        Tensor wrapped = Tensor.wrap(buffer, DType.FLOAT16, 3).copyFrom(new float[] {1, 2, 3});
        assertEquals(0x4000, buffer.getShort(2));
        assertEquals(DType.FLOAT16, wrapped.dtype());
    }

    @Test
    void refusesWhatDoesNotFit() {
        Tensor half = scope.zeros(DType.FLOAT16, 2);
        Tensor bool = scope.zeros(DType.BOOL, 2);
        refused("array=FLOAT32 dtype=BOOL", () -> bool.copyFrom(new float[2]));
        refused("array=BFLOAT16 or FLOAT16 dtype=BOOL", () -> bool.copyFrom(new short[2]));
        refused("array=BOOL dtype=FLOAT16", () -> half.copyFrom(new boolean[2]));
        refused("array=INT8 or BOOL dtype=FLOAT16", half::toByteArray);
        refused("length=3 elements=2", () -> half.copyFrom(new float[3]));
        refused("length=3 elements=2", () -> half.copyTo(new float[3]));
        refused("read-only", () -> half.asReadOnly().copyFrom(new float[2]));
        refused("dtype=BOOL expected=FLOAT32, BFLOAT16 or FLOAT16", () -> bool.cast(scope, DType.FLOAT32));
        refused("dtype=INT64", () -> half.cast(scope, DType.INT64));
        refused("source=FLOAT16[2] this=FLOAT32[3]", () -> scope.zeros(DType.FLOAT32, 3).castFrom(half));
        refused("must not overlap", () -> half.castFrom(half));
    }
}
