// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path folder;

    private final TensorScope scope = TensorScope.open();

    @AfterEach
    void close() {
        scope.close();
    }

    /** Random bits: NaN must come through as they are. */
    private Tensor random(DType dtype, long... sizes) {
        Tensor tensor = scope.zeros(dtype, sizes);
        byte[] bytes = new byte[(int) tensor.elements() * dtype.bytes()];
        new Random(dtype.ordinal() + bytes.length).nextBytes(bytes);
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length)
            .order(ByteOrder.nativeOrder()).put(bytes).flip();
        return tensor.copyFrom(Tensor.wrap(buffer, dtype, sizes));
    }

    /** The elements' bits in row-major order. */
    static long[] bits(Tensor tensor) {
        switch (tensor.dtype()) {
            case FLOAT32:
                float[] floats = tensor.toFloatArray();
                long[] bits = new long[floats.length];
                for (int i = 0; i < bits.length; i++) {
                    bits[i] = Float.floatToRawIntBits(floats[i]);
                }
                return bits;
            case INT32:
                return Arrays.stream(tensor.toIntArray()).asLongStream().toArray();
            case INT64:
                return tensor.toLongArray();
            case BFLOAT16, FLOAT16:
                short[] shorts = tensor.toShortArray();
                return IntStream.range(0, shorts.length).mapToLong(i -> shorts[i]).toArray();
            default:
                byte[] bytes = tensor.toByteArray();
                return IntStream.range(0, bytes.length).mapToLong(i -> bytes[i]).toArray();
        }
    }

    private static void assertHolds(Map<String, Tensor> expected, Safetensors file) {
        assertEquals(expected.keySet(), new TreeSet<>(file.names()));
        expected.forEach((name, tensor) -> {
            assertEquals(tensor.toString(), file.tensor(name).toString());
            assertArrayEquals(bits(tensor), bits(file.tensor(name)), name);
        });
    }

    private Map<String, Tensor> everything() {
        Map<String, Tensor> tensors = new TreeMap<>();
        for (DType dtype : DType.values()) {
            tensors.put(dtype + ".scalar", random(dtype));
            tensors.put(dtype + ".none", random(dtype, 3, 0, 2));
            tensors.put(dtype + ".odd", random(dtype, 3, 5, 7));
            tensors.put(dtype + ".deep", random(dtype, 1, 2, 1, 3, 1, 2, 1, 5));
            tensors.put(dtype + ".transposed", random(dtype, 5, 7, 3).transpose(0, 2));
            tensors.put(dtype + ".cut", random(dtype, 9, 9).slice(1, 2, 7).slice(0, 1, 8));
            tensors.put(dtype + ".column", random(dtype, 9, 9).select(1, 4));
        }
        tensors.put("", random(DType.INT8, 1));
        tensors.put("\"quoted\" \\ \n \u0001 ü \uD83D\uDE00 </>", random(DType.INT8, 3));
        return tensors;
    }

    @Test
    void everyTypeAndStride() throws IOException {
        Map<String, Tensor> tensors = everything();
        SafetensorsWriter writer = SafetensorsWriter.builder().metadata("format", "pt").metadata("é\"", "a\\\tb")
            .build();
        Path path = writer.write(tensors, folder.resolve("all.safetensors"));
        for (Safetensors file : List.of(Safetensors.open(path), Safetensors.read(path))) {
            try (file) {
                assertHolds(tensors, file);
                assertEquals(Map.of("format", "pt", "é\"", "a\\\tb"), file.metadata());
                file.tensors().values().forEach(tensor ->
                    assertEquals(0, View.of(tensor, "tensor").address % tensor.dtype().bytes()));
            }
        }
    }

    @Test
    void nothingAtAll() throws IOException {
        Path path = SafetensorsWriter.builder().build().write(Map.of(), folder.resolve("none.safetensors"));
        assertArrayEquals(RawFile.of("{}      ", 0), Files.readAllBytes(path));
        try (Safetensors file = Safetensors.open(path)) {
            assertEquals(0, file.names().size());
        }
    }

    /** Larger than a piece: with rows that fit a piece, rows that do not, and gaps. */
    @Test
    void largeTensors() throws IOException {
        Tensor wide = Samples.normal(scope, 1, 2, Shard.PIECE / 4 + 5);
        Map<String, Tensor> tensors = Map.of("long", Samples.normal(scope, 2, 3 * Shard.PIECE / 4 / 100, 101), "wide",
            wide, "turned", wide.transpose(0, 1), "vector", wide.select(0, 1));
        Path path = SafetensorsWriter.builder().build().write(tensors, folder.resolve("large.safetensors"));
        try (Safetensors file = Safetensors.open(path)) {
            assertHolds(tensors, file);
        }
    }

    @Test
    void sameBytesWhateverTheOrder() throws IOException {
        Map<String, Tensor> tensors = everything();
        Map<String, Tensor> reversed = new LinkedHashMap<>();
        tensors.keySet().stream().sorted(Collections.reverseOrder()).forEach(n -> reversed.put(n, tensors.get(n)));
        SafetensorsWriter ab = SafetensorsWriter.builder().metadata("a", "1").metadata("b", "2").build();
        SafetensorsWriter ba = SafetensorsWriter.builder().metadata("b", "2").metadata("a", "1").build();
        byte[] first = Files.readAllBytes(ab.write(tensors, folder.resolve("1.safetensors")));
        assertArrayEquals(first, Files.readAllBytes(ba.write(reversed, folder.resolve("2.safetensors"))));
        assertEquals(0, ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
    }

    @Test
    void severalFiles() throws IOException {
        Map<String, Tensor> tensors = Map.of("a", random(DType.FLOAT32, 3), "b", random(DType.INT8, 8), "c",
            random(DType.INT64, 40), "d", random(DType.INT8, 1), "e", random(DType.INT8, 19), "f",
            random(DType.INT8, 1));
        SafetensorsWriter writer = SafetensorsWriter.builder().shardBytes(20).metadata("format", "pt").build();
        Path index = writer.write(tensors, folder.resolve("model.safetensors"));
        assertEquals(List.of("model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors",
            "model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors", "model.safetensors.index.json"),
            listed());
        assertEquals("{\"metadata\":{\"total_size\":361},\"weight_map\":{\"a\":\"model-00001-of-00004.safetensors\","
            + "\"b\":\"model-00001-of-00004.safetensors\",\"c\":\"model-00002-of-00004.safetensors\","
            + "\"d\":\"model-00003-of-00004.safetensors\",\"e\":\"model-00003-of-00004.safetensors\","
            + "\"f\":\"model-00004-of-00004.safetensors\"}}\n", Files.readString(index));
        for (Safetensors file : List.of(Safetensors.open(index), Safetensors.read(index))) {
            try (file) {
                assertHolds(new TreeMap<>(tensors), file);
                assertEquals(Map.of("format", "pt"), file.metadata());
            }
        }
        Path one = SafetensorsWriter.builder().shardBytes(361).build().write(tensors, folder.resolve("x.safetensors"));
        assertEquals("x.safetensors", one.getFileName().toString());
    }

    /** The old file stays until the new one is complete, and a mapping of it stays as it was. */
    @Test
    void replacesAsAWhole() throws IOException {
        Path path = folder.resolve("w.safetensors");
        SafetensorsWriter writer = SafetensorsWriter.builder().build();
        writer.write(Map.of("w", scope.of(new int[] {1, 2}, 2)), path);
        byte[] before = Files.readAllBytes(path);
        TensorScope other = TensorScope.open();
        Map<String, Tensor> tensors = Map.of("a", random(DType.INT64, 4), "z", other.zeros(DType.INT8, 1));
        other.close();
        thrown(IllegalStateException.class, "closed", () -> writer.write(tensors, path));
        thrown(IllegalStateException.class, "closed",
            () -> SafetensorsWriter.builder().shardBytes(1).build().write(tensors, path));
        assertArrayEquals(before, Files.readAllBytes(path));
        assertEquals(List.of("w.safetensors"), listed());
        try (Safetensors old = Safetensors.open(path)) {
            writer.write(Map.of("w", scope.of(new int[] {3, 4}, 2)), path);
            assertArrayEquals(new int[] {1, 2}, old.tensor("w").toIntArray());
        }
        assertNotEquals(before[before.length - 4], Files.readAllBytes(path)[before.length - 4]);
    }

    @Test
    void badInput() {
        SafetensorsWriter writer = SafetensorsWriter.builder().build();
        Map<String, Tensor> one = Map.of("w", random(DType.INT8, 1));
        refused("shardBytes must be at least 1: shardBytes=0",
            () -> SafetensorsWriter.builder().shardBytes(0).build());
        refused("must end with .safetensors: file=", () -> writer.write(one, folder.resolve("w.bin")));
        refused("name of the metadata: name=__metadata__",
            () -> writer.write(Map.of("__metadata__", random(DType.INT8, 1)), folder.resolve("w.safetensors")));
        refused("half surrogate", () -> writer.write(Map.of("\ud800", random(DType.INT8, 1)),
            folder.resolve("w.safetensors")));
        thrown(NullPointerException.class, "tensor w must not be null",
            () -> writer.write(Collections.singletonMap("w", null), folder.resolve("w.safetensors")));
        thrown(NullPointerException.class, "metadata k must not be null",
            () -> SafetensorsWriter.builder().metadata("k", null));
        assertThrows(NoSuchFileException.class,
            () -> writer.write(one, folder.resolve("none").resolve("w.safetensors")));
        assertEquals(List.of(), listed());
    }

    private List<String> listed() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
