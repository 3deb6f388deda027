// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static io.github.attn4j.io.RawFile.entry;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.NativeMemory;
import io.github.attn4j.internal.View;
import io.github.attn4j.nn.Add;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    Path folder;

    /** Values as the script that wrote it gave them. */
    @Test
    void readsWhatTheFormatsOwnImplementationWrote() throws IOException {
        for (Safetensors file : List.of(Safetensors.open(RawFile.real()), Safetensors.read(RawFile.real()))) {
            try (file) {
                assertEquals(Map.of("format", "pt", "note", "line\nnext ü"), file.metadata());
                assertEquals("FLOAT32[2, 3]", file.tensor("encoder.layer.0.weight").toString());
                assertArrayEquals(new float[] {-1, -0.5f, 0, 0.5f, 1, 1.5f},
                    file.tensor("encoder.layer.0.weight").toFloatArray());
                assertEquals("BFLOAT16[3]", file.tensor("encoder.layer.0.bias").toString());
                assertArrayEquals(new float[] {-1, -0.5f, 0}, file.tensor("encoder.layer.0.bias").toFloatArray());
                assertEquals("FLOAT16[5]", file.tensor("encoder.layer.1.half").toString());
                assertArrayEquals(new float[] {-1, -0.5f, 0, 0.5f, 1},
                    file.tensor("encoder.layer.1.half").toFloatArray());
                assertArrayEquals(new boolean[] {true, false, true}, file.tensor("flags").toBooleanArray());
                assertArrayEquals(new byte[] {-128, 0, 127}, file.tensor("bytes").toByteArray());
                assertEquals("INT32[2, 2]", file.tensor("ids").toString());
                assertArrayEquals(new int[] {-1, 2, 3, Integer.MAX_VALUE}, file.tensor("ids").toIntArray());
                assertEquals("INT64[]", file.tensor("steps").toString());
                assertArrayEquals(new long[] {Long.MIN_VALUE}, file.tensor("steps").toLongArray());
                assertEquals("FLOAT32[0, 4]", file.tensor("none").toString());
                assertEquals(7, file.tensor("größe \"\\ \uD83D\uDE00").at(0));
                assertEquals(11, file.names().size());
                assertEquals(9, file.tensors().size());
            }
        }
    }

    @Test
    void oddTensorsAreRefusedAlone() throws IOException {
        Path file = RawFile.write(folder, "odd.safetensors", "{" + entry("deep", "I8", "[1,1,1,1,1,1,1,1,1]", 0, 1)
            + "," + entry("new", "F5_E9", "[7,7]", 1, 4) + "," + entry("fine", "I8", "[2]", 4, 6) + ","
            + entry("small", "F4", "[4]", 6, 8) + "," + entry("double", "F64", "[1]", 8, 16) + "}", 16);
        for (Safetensors weights : List.of(Safetensors.open(file), Safetensors.read(file))) {
            try (weights) {
                assertEquals(List.of("deep", "new", "fine", "small", "double"), List.copyOf(weights.names()));
                assertEquals(Set.of("fine"), weights.tensors().keySet());
                assertArrayEquals(new byte[] {4, 5}, weights.tensor("fine").toByteArray());
                Class<UnsupportedOperationException> type = UnsupportedOperationException.class;
                thrown(type, "name=deep rank=9", () -> weights.tensor("deep"));
                thrown(type, "name=new dtype=F5_E9", () -> weights.tensor("new"));
                thrown(type, "name=small dtype=F4", () -> weights.tensor("small"));
                thrown(type, "name=double dtype=F64", () -> weights.tensor("double"));
                refused("no tensor of that name: name=other", () -> weights.tensor("other"));
                assertThrows(UnsupportedOperationException.class, () -> weights.tensors().clear());
                assertThrows(UnsupportedOperationException.class, () -> weights.names().clear());
                assertThrows(UnsupportedOperationException.class, () -> weights.metadata().clear());
            }
        }
    }

    @Test
    void mappingCopiesNothingAndReadingDoes() throws IOException {
        Path path = RawFile.write(folder, "w.safetensors", "{" + entry("a", "I8", "[2]", 0, 2) + ","
            + entry("b", "I8", "[3]", 2, 5) + "}", 5);
        long outside = NativeMemory.settled();
        try (Safetensors mapped = Safetensors.open(path); Safetensors read = Safetensors.read(path)) {
            assertEquals(outside + 5, NativeMemory.allocated());
            long distance = View.of(mapped.tensor("b"), "b").address - View.of(mapped.tensor("a"), "a").address;
            assertEquals(2, distance);
            Sparse.put(path, Files.size(path) - 1, 77);
            assertArrayEquals(new byte[] {2, 3, 77}, mapped.tensor("b").toByteArray());
            assertArrayEquals(new byte[] {2, 3, 4}, read.tensor("b").toByteArray());
            assertTrue(mapped.tensor("a").isReadOnly());
            refused("read-only", () -> mapped.tensor("a").copyFrom(new byte[2]));
            read.tensor("a").copyFrom(new byte[] {9, 9});
            assertArrayEquals(new byte[] {0, 1}, mapped.tensor("a").toByteArray());
            Sparse.extend(path, 0);
            assertArrayEquals(new byte[] {2, 3, 4}, read.tensor("b").toByteArray());
        }
        assertEquals(outside, NativeMemory.allocated());
    }

    /** One byte before it: by its type it could not be used in place. */
    @Test
    void copiesWhatIsNotAligned() throws IOException {
        String header = "{" + entry("a", "I8", "[1]", 0, 1) + "," + entry("b", "I32", "[2]", 1, 9) + "}";
        Path path = RawFile.write(folder, "w.safetensors", header + " ".repeat(8 - header.length() % 8), 9);
        try (Safetensors mapped = Safetensors.open(path)) {
            assertArrayEquals(new int[] {0x04030201, 0x08070605}, mapped.tensor("b").toIntArray());
            assertEquals(0, View.of(mapped.tensor("b"), "b").address % 4);
            assertTrue(mapped.tensor("b").isReadOnly());
        }
    }

    @Test
    void readsMoreThanAPiece() throws IOException {
        int elements = 2 * Shard.PIECE / 4 + 17;
        Path path = folder.resolve("w.safetensors");
        try (TensorScope scope = TensorScope.open()) {
            Tensor large = Samples.normal(scope, 5, elements);
            SafetensorsWriter.builder().build().write(Map.of("w", large), path);
            try (Safetensors read = Safetensors.read(path)) {
                assertArrayEquals(large.toFloatArray(), read.tensor("w").toFloatArray());
            }
        }
    }

    @Test
    void closedIsClosed() throws IOException {
        for (Safetensors file : List.of(Safetensors.open(RawFile.real()), Safetensors.read(RawFile.real()))) {
            Tensor weight = file.tensor("encoder.layer.0.weight");
            View view = View.of(weight, "weight");
            view.owner.acquire();
            thrown(IllegalStateException.class, "calls under way=1", file::close);
            assertEquals(-1, weight.at(0, 0));
            view.owner.release();
            file.close();
            file.close();
            thrown(IllegalStateException.class, "is closed", weight::toFloatArray);
            thrown(IllegalStateException.class, "is closed", () -> file.tensor("ids").slice(0, 0, 1).toIntArray());
            try (TensorScope scope = TensorScope.open()) {
                Tensor out = scope.zeros(DType.FLOAT32, 2, 3);
                thrown(IllegalStateException.class, "is closed", () -> Add.builder().build().run(weight, weight, out));
            }
        }
    }

    /** Three tensors of 1.5 GiB, 1.5 GiB and a byte: no mapping of JDK 17 holds two of them. */
    @Test
    void mapsMoreThanTwoGigabytes() throws IOException {
        long part = 3L << 29;
        String header = "{" + entry("a", "I8", "[" + part + "]", 0, part) + ","
            + entry("b", "I8", "[" + part + "]", part, 2 * part) + ","
            + entry("c", "I8", "[1]", 2 * part, 2 * part + 1) + "}";
        Path path = RawFile.write(folder, "large.safetensors", header, 0);
        long start = Files.size(path);
        Sparse.extend(path, start + 2 * part + 1);
        Sparse.put(path, start + part - 1, 1);
        Sparse.put(path, start + part, 2);
        Sparse.put(path, start + 2 * part - 1, 3);
        Sparse.put(path, start + 2 * part, 4);
        try (Safetensors file = Safetensors.open(path)) {
            assertArrayEquals(new byte[] {1}, file.tensor("a").slice(0, part - 1, part).toByteArray());
            assertArrayEquals(new byte[] {2}, file.tensor("b").slice(0, 0, 1).toByteArray());
            assertArrayEquals(new byte[] {3}, file.tensor("b").slice(0, part - 1, part).toByteArray());
            assertArrayEquals(new byte[] {4}, file.tensor("c").toByteArray());
        }
    }

    @Test
    void oneTensorOfMoreThanTwoGigabytesNeedsJdk22() throws IOException {
        assumeTrue(Runtime.version().feature() < 22);
        long bytes = 1L << 31;
        Path path = RawFile.write(folder, "large.safetensors", "{" + entry("a", "I8", "[" + bytes + "]", 0, bytes)
            + "," + entry("b", "I8", "[1]", bytes, bytes + 1) + "}", 0);
        Sparse.extend(path, Files.size(path) + bytes + 1);
        try (Safetensors file = Safetensors.open(path)) {
            assertFalse(file.tensors().containsKey("a"));
            thrown(UnsupportedOperationException.class, "JDK 22 and newer; Safetensors.read takes it on any: name=a"
                + " bytes=2147483648", () -> file.tensor("a"));
            assertArrayEquals(new byte[] {0}, file.tensor("b").toByteArray());
        }
    }

    @Test
    void givesThePartsOfAModel() throws IOException {
        try (Safetensors file = Safetensors.open(RawFile.real())) {
            Map<String, Tensor> layer = StateDict.under(file.tensors(), "encoder.layer.0.");
            assertEquals(Set.of("weight", "bias"), layer.keySet());
            assertEquals(file.tensor("encoder.layer.0.bias"), layer.get("bias"));
            assertEquals(file.tensors(), StateDict.under(file.tensors(), ""));
            assertEquals(Map.of(), StateDict.under(file.tensors(), "flags"));
            assertThrows(UnsupportedOperationException.class, layer::clear);
        }
    }
}
