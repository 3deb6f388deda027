// SPDX-License-Identifier: Apache-2.0
// The safetensors format, read strictly: 8 bytes of header length, a JSON header, the tensors without gaps.
package io.github.attn4j.conformance;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A conformance case: inputs, expected outputs, attributes, tolerances. */
final class Case {
    private static final Map<String, DType> TYPES = Map.of("F32", DType.FLOAT32, "BF16", DType.BFLOAT16, "F16",
        DType.FLOAT16, "I64", DType.INT64, "I32", DType.INT32, "BOOL", DType.BOOL, "I8", DType.INT8);

    final String name;
    final String op;
    final double rtol;
    final double atol;
    private final Map<String, Object> attributes;
    private final TensorScope scope;
    private final Map<String, Object> members;
    private final ByteBuffer data;

    private Case(String name, TensorScope scope, Map<String, Object> members, ByteBuffer data) {
        this.name = name;
        this.scope = scope;
        this.data = data;
        this.members = members;
        Map<String, Object> metadata = map(members.remove("__metadata__"));
        op = (String) metadata.get("op");
        rtol = Double.parseDouble((String) metadata.get("rtol"));
        atol = Double.parseDouble((String) metadata.get("atol"));
        attributes = Json.object((String) metadata.get("attributes"));
    }

    /** The tensors are made when they are asked for. */
    static Case read(TensorScope scope, Path root, Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        long length = bytes.getLong();
        if (length < 2 || length > bytes.remaining()) {
            throw new IOException("the header must be within the file: header=" + length + " file=" + file);
        }
        byte[] header = new byte[(int) length];
        bytes.get(header);
        Map<String, Object> members = Json.object(new String(header, StandardCharsets.UTF_8));
        Case result = new Case(root.relativize(file).toString().replace(".safetensors", ""), scope, members,
            bytes.slice());
        result.checkGaps();
        return result;
    }

    /** Ranges one behind the other, from the first byte to the last. */
    private void checkGaps() throws IOException {
        List<long[]> ranges = members.values().stream().map(member -> numbers(member, "data_offsets"))
            .sorted(Comparator.comparingLong((long[] range) -> range[0]).thenComparingLong(range -> range[1]))
            .toList();
        long end = 0;
        for (long[] range : ranges) {
            if (range[0] != end || range[1] < end) {
                throw new IOException("the tensors must have no gaps: begin=" + range[0] + " expected=" + end + " case="
                    + name);
            }
            end = range[1];
        }
        if (end != data.limit()) {
            throw new IOException("the tensors must fill the file: tensors=" + end + " data=" + data.limit());
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    private static long[] numbers(Object member, String key) {
        return ((List<?>) map(member).get(key)).stream().mapToLong(number -> ((Double) number).longValue()).toArray();
    }

    /** Null if there is none. */
    private Tensor tensor(String key) {
        Object member = members.get(key);
        if (member == null) {
            return null;
        }
        String type = (String) map(member).get("dtype");
        if (!TYPES.containsKey(type)) {
            throw new IllegalArgumentException(key + " has a type that this reader does not know: dtype=" + type);
        }
        return tensor(scope, data, TYPES.get(type), numbers(member, "shape"), numbers(member, "data_offsets"));
    }

    private static Tensor tensor(TensorScope scope, ByteBuffer data, DType type, long[] sizes,
                                 long[] range) {
        Tensor tensor = scope.zeros(type, sizes);
        if (range[1] - range[0] != tensor.elements() * type.bytes()) {
            throw new IllegalArgumentException("a tensor must have the bytes of its shape: bytes=" + (range[1] - range[0]) + " tensor="
                + tensor);
        }
        ByteBuffer part = data.slice((int) range[0], (int) (range[1] - range[0])).order(ByteOrder.LITTLE_ENDIAN);
        int count = (int) tensor.elements();
        switch (type.bytes()) {
            case 1:
                byte[] bytes = new byte[count];
                part.get(bytes);
                return tensor.copyFrom(bytes);
            case 2:
                short[] shorts = new short[count];
                part.asShortBuffer().get(shorts);
                return tensor.copyFrom(shorts);
            case 4:
                return type == DType.INT32 ? tensor.copyFrom(ints(part, count)) : tensor.copyFrom(floats(part, count));
            default:
                long[] longs = new long[count];
                part.asLongBuffer().get(longs);
                return tensor.copyFrom(longs);
        }
    }

    private static int[] ints(ByteBuffer part, int count) {
        int[] ints = new int[count];
        part.asIntBuffer().get(ints);
        return ints;
    }

    private static float[] floats(ByteBuffer part, int count) {
        float[] floats = new float[count];
        part.asFloatBuffer().get(floats);
        return floats;
    }

    /** Null if there is none. */
    Tensor in(String tensor) {
        return tensor("in." + tensor);
    }

    Tensor param(String tensor) {
        return tensor("param." + tensor);
    }

    /** All of them, by their PyTorch names. */
    Map<String, Tensor> params() {
        return members.keySet().stream().filter(key -> key.startsWith("param."))
            .collect(Collectors.toMap(key -> key.substring(6), this::tensor));
    }

    /** Null if it is not expected. */
    Tensor out(String tensor) {
        return tensor("out." + tensor);
    }

    /** The names of what is expected. */
    List<String> outputs() {
        return members.keySet().stream().filter(key -> key.startsWith("out.")).map(key -> key.substring(4)).toList();
    }

    boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    double number(String attribute, double otherwise) {
        Object value = attributes.get(attribute);
        return value == null ? otherwise : value instanceof Boolean truth ? truth ? 1 : 0 : (Double) value;
    }

    String text(String attribute, String otherwise) {
        return has(attribute) ? (String) attributes.get(attribute) : otherwise;
    }

    boolean is(String attribute) {
        return number(attribute, 0) != 0;
    }
}
