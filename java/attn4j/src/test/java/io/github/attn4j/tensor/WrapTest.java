// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.nn.Add;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.junit.jupiter.api.Test;

class WrapTest {
    private static final ByteOrder OTHER =
        ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocateDirect(count).order(ByteOrder.nativeOrder());
    }

    @Test
    void sharesMemoryFromPositionToLimit() {
        FloatBuffer buffer = bytes(40).asFloatBuffer();
        for (int i = 0; i < 10; i++) {
            buffer.put(i, i);
        }
        Tensor tensor = Tensor.wrap(buffer.position(3).limit(7), 2, 2);
        assertArrayEquals(new float[] {3, 4, 5, 6}, tensor.toFloatArray());
        tensor.copyFrom(new float[] {9, 8, 7, 6});
        assertEquals(8, buffer.get(4));
        // A slice of a slice starts where it says.
        Tensor inner = Tensor.wrap(buffer.slice().position(1).slice(), 3);
        assertArrayEquals(new float[] {8, 7, 6}, inner.toFloatArray());
    }

    @Test
    void takesTheOtherTypes() {
        ByteBuffer buffer = bytes(32);
        buffer.putLong(8, 5).putLong(16, 6);
        assertArrayEquals(new long[] {5, 6}, Tensor.wrap(buffer.position(8).limit(24), DType.INT64, 2).toLongArray());
        LongBuffer longs = buffer.clear().asLongBuffer().position(1).limit(3);
        assertArrayEquals(new long[] {5, 6}, Tensor.wrap(longs, 2).toLongArray());
        assertArrayEquals(new int[8], Tensor.wrap(bytes(32).asIntBuffer(), 8).toIntArray());
    }

    @Test
    void refusesWhatWouldNeedACopy() {
        refused("must be direct", () -> Tensor.wrap(FloatBuffer.allocate(4), 4));
        refused("must be direct", () -> Tensor.wrap(ByteBuffer.allocate(16), DType.FLOAT32, 4));
        refused("order=" + OTHER, () -> Tensor.wrap(bytes(16).order(OTHER).asFloatBuffer(), 4));
        refused("order=" + OTHER, () -> Tensor.wrap(bytes(16).order(OTHER), DType.FLOAT32, 4));
        refused("bytes=16 needed=20", () -> Tensor.wrap(bytes(16).asFloatBuffer(), 5));
        refused("bytes=16 needed=12", () -> Tensor.wrap(bytes(16), DType.FLOAT32, 3));
        refused("aligned", () -> Tensor.wrap(bytes(20).position(1).limit(17), DType.FLOAT32, 4));
        thrown(NullPointerException.class, "buffer", () -> Tensor.wrap((FloatBuffer) null, 4));
    }

    @Test
    void readOnlyBuffersAreNoOutputs() {
        FloatBuffer buffer = bytes(16).asFloatBuffer();
        Tensor in = Tensor.wrap(buffer.asReadOnlyBuffer(), 2, 2);
        assertTrue(in.isReadOnly() && in.transpose(0, 1).isReadOnly());
        try (TensorScope scope = TensorScope.open()) {
            Tensor ones = scope.of(new float[] {1, 1, 1, 1}, 2, 2);
            refused("read-only", () -> Add.builder().build().run(ones, ones, in));
            assertEquals(0, buffer.get(0));
            assertEquals(1, Add.builder().build().apply(scope, in, ones).at(0, 0));
        }
    }

    @Test
    void keepsTheBufferAlive() {
        Tensor tensor = Tensor.wrap(bytes(1 << 20).asFloatBuffer(), 1 << 18);
        tensor.copyFrom(new float[1 << 18]);
        for (int i = 0; i < 20; i++) {
            bytes(1 << 20);
            System.gc();
        }
        assertEquals(0, tensor.at(12345));
    }
}
