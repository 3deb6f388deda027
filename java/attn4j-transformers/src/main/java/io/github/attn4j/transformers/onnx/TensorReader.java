// SPDX-License-Identifier: Apache-2.0
// Reads one TensorProto. Float32 data of a weight streams into a native tensor of its own scope in small pieces, so
// that it is in memory once; a small tensor also comes as numbers; data of any other kind is skipped and its type kept.
package io.github.attn4j.transformers.onnx;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

final class TensorReader {
    static final int FLOAT = 1;
    static final int INT64 = 7;
    private static final int MAX_RANK = 8;
    private static final int PIECE_BYTES = 1 << 16;

    private final ProtobufStream in;
    private final boolean weight;
    private final List<Long> sizes = new ArrayList<>();
    private String name = "";
    private int type;
    private boolean external;
    private TensorScope scope;
    private Tensor data;
    private double[] numbers;
    private long elements = -1;

    /** {@code weight}: float32 data goes into native memory, otherwise only small data is kept. */
    TensorReader(ProtobufStream in, boolean weight) {
        this.in = in;
        this.weight = weight;
    }

    /** Reads the message around which the stream stands. Nothing stays allocated if it fails. */
    TensorReader read() throws IOException {
        try {
            in.message("tensor", this::fields);
            checkSizes();
            return this;
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    String name() {
        return name;
    }

    int type() {
        return type;
    }

    /** The owner of the weight, null if the tensor is no float32 weight. */
    TensorScope scope() {
        return scope;
    }

    /** The weight in its own shape, a scalar as [1]; null if the tensor is no float32 weight. */
    Tensor tensor() {
        return data == null || sizes.isEmpty()
                ? data
                : data.reshape(sizes.stream().mapToLong(Long::longValue).toArray());
    }

    /** The numbers of a small float32 or int64 tensor, else null. */
    double[] numbers() {
        return numbers;
    }

    void close() {
        if (scope != null) {
            scope.close();
        }
    }

    private void fields() throws IOException {
        for (int field = in.next(); field != 0; field = in.next()) {
            switch (field) {
                case 1 -> size();
                case 2 -> type = (int) in.integer("data_type");
                case 4 -> data("float_data", FLOAT);
                case 7 -> packedIntegers();
                case 8 -> name = in.text("tensor name");
                case 9 -> data("raw_data", type);
                case 14 -> external = in.integer("data_location") != 0;
                default -> in.skip();
            }
        }
    }

    private void size() throws IOException {
        if (in.isBytes()) {
            in.message("dims", () -> {
                while (!in.atEnd()) {
                    addSize(in.packedInteger());
                }
            });
        } else {
            addSize(in.integer("dims"));
        }
    }

    private void addSize(long size) throws IOException {
        if (size < 0 || sizes.size() == MAX_RANK) {
            throw in.damaged("a tensor has at most " + MAX_RANK + " sizes, none negative: rank=" + (sizes.size() + 1)
                    + " size=" + size);
        }
        sizes.add(size);
    }

    /** Little-endian numbers of the given type, as both raw data and packed float data are. */
    private void data(String field, int elementType) throws IOException {
        int bytes = in.length(field);
        if (elements >= 0 || type == 0 || field.equals("float_data") && type != FLOAT) {
            throw in.damaged(field + " comes once, after data_type and matching it: data_type=" + type);
        }
        int width = elementType == FLOAT ? Float.BYTES : Long.BYTES;
        if (elementType != FLOAT && elementType != INT64 || !weight && bytes > OnnxWeights.SMALL * width) {
            in.skipBytes(bytes);
            return;
        }
        if (bytes % width != 0) {
            throw in.damaged(field + " holds whole numbers: bytes=" + bytes + " bytes a number=" + width);
        }
        elements = bytes / width;
        if (elements <= OnnxWeights.SMALL) {
            numbers = new double[(int) elements];
        }
        if (elementType == INT64) {
            readIntegers(bytes);
        } else {
            readFloats(bytes);
        }
    }

    private void readFloats(int bytes) throws IOException {
        if (weight) {
            scope = TensorScope.open();
            data = scope.zeros(DType.FLOAT32, elements);
        }
        float[] piece = new float[Math.min(bytes, PIECE_BYTES) / Float.BYTES];
        for (long at = 0; at < elements; at += piece.length) {
            int count = (int) Math.min(piece.length, elements - at);
            if (count < piece.length) {
                piece = new float[count];
            }
            little(count * Float.BYTES).asFloatBuffer().get(piece);
            if (weight) {
                data.slice(0, at, at + count).copyFrom(piece);
            }
            for (int i = 0; numbers != null && i < count; i++) {
                numbers[i] = piece[i];
            }
        }
    }

    private void readIntegers(int bytes) throws IOException {
        if (numbers == null) {
            in.skipBytes(bytes);
            return;
        }
        ByteBuffer values = little(bytes);
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = values.getLong();
        }
    }

    private ByteBuffer little(int bytes) throws IOException {
        return ByteBuffer.wrap(in.bytes(bytes, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void packedIntegers() throws IOException {
        if (!in.isBytes()) {
            in.skip();
            return;
        }
        List<Long> values = new ArrayList<>();
        in.message("int64_data", () -> {
            for (long count = 0; !in.atEnd(); count++) {
                long value = in.packedInteger();
                if (count <= OnnxWeights.SMALL) {
                    values.add(value);
                }
            }
        });
        if (values.size() <= OnnxWeights.SMALL) {
            numbers = values.stream().mapToDouble(Long::doubleValue).toArray();
        }
    }

    private void checkSizes() throws IOException {
        if (external && weight) {
            throw in.damaged("weights in separate files are not supported: tensor=" + name);
        }
        long product = 1;
        for (long size : sizes) {
            if (size != 0 && product > Long.MAX_VALUE / size) {
                throw in.damaged(
                        "the sizes of a tensor multiply to more than 2^63: tensor=" + name + " sizes=" + sizes);
            }
            product *= size;
        }
        if (elements >= 0 && product != elements) {
            throw in.damaged("the sizes of a tensor multiply to the count of its data: tensor=" + name + " sizes="
                    + sizes + " numbers=" + elements);
        }
        if (weight && type == FLOAT && data == null) {
            throw in.damaged("a float tensor has data: tensor=" + name + " sizes=" + sizes);
        }
    }
}
