// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OnnxWeightsTest {
    private static final String FILE = "some.onnx";

    private static OnnxWeights read(byte[] model) throws IOException {
        return OnnxWeights.read(new ByteArrayInputStream(model), model.length, FILE);
    }

    private static String refusal(byte[] model) {
        String message = assertThrows(OnnxFormatException.class, () -> read(model).close()).getMessage();
        assertTrue(message.startsWith(FILE + ": "), message);
        return message;
    }

    private static float[] ramp(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i + 0.5f;
        }
        return values;
    }

    @Test
    void readsWeightsLargerThanAPieceAndWithoutElements() throws IOException {
        float[] large = ramp(3 * 20_000);
        byte[] model = new OnnxWriter().weight("large", large, 3, 20_000).weight("none", new float[0], 0, 7)
                .weight("scalar", new float[] {2}).model();
        try (OnnxWeights weights = read(model)) {
            assertArrayEquals(large, weights.tensor("large").orElseThrow().toFloatArray());
            assertArrayEquals(new long[] {3, 20_000}, weights.tensor("large").orElseThrow().shape().toArray());
            assertArrayEquals(new long[] {0, 7}, weights.tensor("none").orElseThrow().shape().toArray());
            assertArrayEquals(new double[] {2}, weights.constant("scalar").orElseThrow());
            assertEquals(Set.of("large", "none", "scalar"), weights.names());
        }
    }

    @Test
    void readsPackedFloatDataAndIntegerConstants() throws IOException {
        byte[] packed = OnnxWriter.message(out -> {
            byte[] sizes = OnnxWriter.message(inner -> inner.writeInt64NoTag(2));
            out.writeByteArray(1, sizes);
            out.writeInt32(2, TensorReader.FLOAT);
            byte[] floats = OnnxWriter.message(inner -> {
                inner.writeFloatNoTag(1.5f);
                inner.writeFloatNoTag(-2);
            });
            out.writeByteArray(4, floats);
            out.writeString(8, "packed");
        });
        byte[] model = new OnnxWriter().field(5, packed).constant("shape", OnnxWriter.integers("", 0, -1, 12, 32))
                .field(5, OnnxWriter.integers("ids", 3, 4)).model();
        try (OnnxWeights weights = read(model)) {
            assertArrayEquals(new float[] {1.5f, -2}, weights.tensor("packed").orElseThrow().toFloatArray());
            assertArrayEquals(new double[] {0, -1, 12, 32}, weights.constant("shape").orElseThrow());
            assertArrayEquals(new double[] {3, 4}, weights.constant("ids").orElseThrow());
            assertEquals(TensorReader.INT64, weights.otherType("ids").orElseThrow());
            assertTrue(weights.tensor("ids").isEmpty());
        }
    }

    @Test
    void knowsProducersAndConsumers() throws IOException {
        byte[] model = new OnnxWriter().node("MatMul", "y", "x", "w").node("Add", "z", "b", "y").model();
        try (OnnxWeights weights = read(model)) {
            assertEquals("w", weights.producer("y").orElseThrow().input(1));
            assertEquals("Add", weights.consumers("y").get(0).operation());
            assertTrue(weights.producer("x").isEmpty());
            assertTrue(weights.consumers("z").isEmpty());
        }
    }

    @Test
    void releasedWeightsAreGone() throws IOException {
        OnnxWeights weights = read(new OnnxWriter().weight("a", ramp(2), 2).weight("b", ramp(2), 2)
                .weight("c", ramp(2), 2).model());
        var b = weights.tensor("b").orElseThrow();
        weights.retain(Set.of("b", "c"));
        weights.release("c");
        assertEquals(Set.of("b"), weights.names());
        assertEquals(0.5f, b.at(0));
        weights.close();
        weights.close();
        assertThrows(IllegalStateException.class, () -> b.at(0));
    }

    @Test
    void refusesWhatIsCutOffAnywhere() {
        byte[] model = new OnnxWriter().node("MatMul", "y", "x", "w").weight("w", ramp(6), 2, 3).model();
        for (int length = 0; length < model.length; length++) {
            refusal(Arrays.copyOf(model, length));
        }
    }

    @Test
    void refusesAStreamThatEndsBeforeItsSize() {
        byte[] model = new OnnxWriter().weight("w", ramp(40_000), 40_000).model();
        InputStream half = new ByteArrayInputStream(model, 0, model.length / 2);
        assertThrows(OnnxFormatException.class, () -> OnnxWeights.read(half, model.length, FILE));
    }

    @Test
    void namesTheFileWhenTheStreamFails() {
        InputStream failing = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("no disk");
            }
        };
        String message = assertThrows(IOException.class, () -> OnnxWeights.read(failing, 10, FILE)).getMessage();
        assertTrue(message.contains(FILE) && message.contains("no disk"), message);
    }

    @Test
    void claimsOfHugeSizesTakeNoMemory() {
        byte[] raw = new OnnxWriter().weight("w", ramp(4), 4).model();
        byte[] claims = raw.clone();
        ByteBuffer.wrap(claims).position(claims.length - 21).put(new byte[] {
            0x4a, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x07
        });
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertTrue(refusal(claims).contains("left="));
        assertTrue(threads.getCurrentThreadAllocatedBytes() - before < 1 << 20);
        assertTrue(refusal(new OnnxWriter().weight("w", ramp(4), 1L << 40, 1L << 40).model()).contains("2^63"));
        assertTrue(refusal(new OnnxWriter().weight("w", ramp(4), 1L << 40).model()).contains("numbers=4"));
        assertTrue(refusal(new OnnxWriter().weight("w", ramp(4), -4).model()).contains("size=-4"));
    }

    @Test
    void refusesMoreNodesThanAnyModelHas() {
        byte[] nodes = new byte[2 * 70_000];
        for (int i = 0; i < nodes.length; i += 2) {
            nodes[i] = 0x0a;
        }
        assertTrue(refusal(OnnxWriter.message(out -> out.writeByteArray(7, nodes))).contains("limit="));
    }

    @Test
    void refusesWhatItCannotRead() {
        assertTrue(refusal(new byte[0]).contains("graph"));
        assertTrue(refusal(new OnnxWriter().weight("w", ramp(1), 1).weight("w", ramp(1), 1).model())
                .contains("one name"));
        assertTrue(refusal(new OnnxWriter().field(5, OnnxWriter.tensor("w", 1, new byte[7], 1)).model())
                .contains("bytes=7"));
        byte[] elsewhere = OnnxWriter.message(out -> {
            out.writeInt32(2, TensorReader.FLOAT);
            out.writeInt32(14, 1);
        });
        assertTrue(refusal(new OnnxWriter().field(5, elsewhere).model()).contains("separate files"));
        byte[] untyped = OnnxWriter.message(out -> out.writeByteArray(9, new byte[4]));
        assertTrue(refusal(new OnnxWriter().field(5, untyped).model()).contains("data_type"));
        byte[] wrongWire = OnnxWriter.message(out -> out.writeInt64(9, 4));
        assertTrue(refusal(new OnnxWriter().field(5, wrongWire).model()).contains("wire type"));
        byte[] tooLarge = new OnnxWriter().model();
        assertThrows(OnnxFormatException.class,
                () -> OnnxWeights.read(new ByteArrayInputStream(tooLarge), 1L << 31, FILE));
    }

    @Test
    void keepsTheTypeOfWhatItDoesNotLoad() throws IOException {
        try (OnnxWeights weights = read(
                new OnnxWriter().field(5, OnnxWriter.tensor("quantized", 3, new byte[5], 5)).model())) {
            assertEquals(3, weights.otherType("quantized").orElseThrow());
            assertFalse(weights.names().contains("quantized"));
        }
    }
}
