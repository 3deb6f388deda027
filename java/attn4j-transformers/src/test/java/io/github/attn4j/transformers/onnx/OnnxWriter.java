// SPDX-License-Identifier: Apache-2.0
// Writes just enough of the ONNX format for tests, field by field.
package io.github.attn4j.transformers.onnx;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Builds the bytes of a model. */
public final class OnnxWriter {
    private final ByteArrayOutputStream graph = new ByteArrayOutputStream();

    /** What writes the fields of a message. */
    @FunctionalInterface
    public interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    /** The bytes of one message. */
    public static byte[] message(Fields fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            fields.write(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** A field of the graph, as it is. */
    public OnnxWriter field(int number, byte[] message) {
        graph.writeBytes(message(out -> out.writeByteArray(number, message)));
        return this;
    }

    public OnnxWriter node(String operation, String output, String... inputs) {
        return field(1, message(out -> {
            for (String input : inputs) {
                out.writeString(1, input);
            }
            out.writeString(2, output);
            out.writeString(4, operation);
        }));
    }

    /** A node that makes a constant tensor. */
    public OnnxWriter constant(String output, byte[] tensor) {
        byte[] attribute = message(out -> {
            out.writeString(1, "value");
            out.writeByteArray(5, tensor);
        });
        return field(1, message(out -> {
            out.writeString(2, output);
            out.writeString(4, "Constant");
            out.writeByteArray(5, attribute);
        }));
    }

    public OnnxWriter weight(String name, float[] values, long... sizes) {
        return field(5, floats(name, values, sizes));
    }

    public static byte[] floats(String name, float[] values, long... sizes) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        return tensor(name, TensorReader.FLOAT, raw.array(), sizes);
    }

    public static byte[] integers(String name, long... values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asLongBuffer().put(values);
        return tensor(name, TensorReader.INT64, raw.array(), values.length);
    }

    public static byte[] tensor(String name, int type, byte[] raw, long... sizes) {
        return message(out -> {
            for (long size : sizes) {
                out.writeInt64(1, size);
            }
            out.writeInt32(2, type);
            out.writeString(8, name);
            out.writeByteArray(9, raw);
        });
    }

    public byte[] model() {
        return message(out -> {
            out.writeInt64(1, 6);
            out.writeString(2, "test");
            out.writeByteArray(7, graph.toByteArray());
        });
    }
}
