// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import static io.github.attn4j.Expect.thrown;
import static io.github.attn4j.io.RawFile.entry;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two files, a.safetensors with x and y, b.safetensors with z, under different indexes. */
class ShardIndexTest {
    private static final String A = "a.safetensors";
    private static final String B = "b.safetensors";

    @TempDir
    Path folder;

    @BeforeEach
    void files() throws IOException {
        RawFile.write(folder, A, "{\"__metadata__\":{\"from\":\"a\"}," + entry("x", "I8", "[1]", 0, 1) + ","
            + entry("y", "I8", "[1]", 1, 2) + "}", 2);
        RawFile.write(folder, B, "{\"__metadata__\":{\"from\":\"b\",\"more\":\"b\"}," + entry("z", "I8", "[3]", 0, 3)
            + "}", 3);
    }

    private Path index(String... tensorsAndFiles) throws IOException {
        StringBuilder map = new StringBuilder();
        for (int i = 0; i < tensorsAndFiles.length; i += 2) {
            map.append(i > 0 ? "," : "").append("\"" + tensorsAndFiles[i] + "\":\"" + tensorsAndFiles[i + 1] + "\"");
        }
        return text("{\"metadata\":{\"total_size\":5,\"more\":[1.5e3,null,{}]},\"weight_map\":{" + map + "}}\n");
    }

    private Path text(String json) throws IOException {
        return Files.writeString(folder.resolve("model.safetensors.index.json"), json);
    }

    private static void refused(String part, Path index) {
        thrown(WeightsFormatException.class, part, () -> Safetensors.open(index));
        thrown(WeightsFormatException.class, index + ": ", () -> Safetensors.read(index));
    }

    @Test
    void opensAllFiles() throws IOException {
        Path index = index("z", B, "x", A, "y", A);
        for (Safetensors file : List.of(Safetensors.open(index), Safetensors.read(index))) {
            try (file) {
                assertEquals(List.of("x", "y", "z"), List.copyOf(file.names()));
                assertArrayEquals(new byte[] {0, 1, 2}, file.tensor("z").toByteArray());
                assertArrayEquals(new byte[] {1}, file.tensor("y").toByteArray());
                assertEquals(Map.of("from", "a", "more", "b"), file.metadata());
            }
        }
    }

    @Test
    void refusesWhatDisagrees() throws IOException {
        refused("must name files that are there: tensor=w missing file=c.safetensors", index("x", A, "y", A, "z", B,
            "w", "c.safetensors"));
        refused("must name tensors that are there: tensor=w file without it=" + B, index("x", A, "y", A, "z", B,
            "w", B));
        refused("must agree with the files: tensor=y in file=" + A + " weight_map=null", index("x", A, "z", B));
        refused("must agree with the files: tensor=y in file=" + A + " weight_map=" + B, index("x", A, "y", B, "z", B));
        Files.copy(folder.resolve(B), folder.resolve("c.safetensors"));
        refused("tensor=z in file=c.safetensors weight_map=" + B, index("x", A, "y", A, "z", B, "w", "c.safetensors"));
    }

    @Test
    void opensNothingElsewhere() throws IOException {
        Files.createDirectory(folder.resolve("sub"));
        for (String file : new String[] {"../" + A, "sub/../" + A, "/etc/passwd", "..", ".", "", "a\\\\b", "C:x",
            "\\u0000"}) {
            refused("in the index's own folder: tensor=x file=", index("x", file));
        }
        thrown(WeightsFormatException.class, "regular file", () -> Safetensors.open(index("x", "sub")));
    }

    @Test
    void refusesWhatIsNoIndex() throws IOException {
        refused("must have a weight_map: bytes=2", text("{}"));
        refused("must have an object: position=0 found=<[]>", text("[]"));
        refused("must have an object: position=0 found=the end", text(""));
        refused("must have an object", text("{\"weight_map\":[]}"));
        refused("must have a string", text("{\"weight_map\":{\"x\":1}}"));
        refused("each name once", index("x", A, "y", A, "x", B));
        refused("each name once", text("{\"weight_map\":{},\"weight_map\":{}}"));
        refused("at most 64 levels", text("{\"metadata\":" + "[".repeat(100_000)));
        refused("nothing behind", text("{\"weight_map\":{}}{}"));
        Sparse.extend(text("{"), 100_000_001);
        refused("at most 100000000 bytes: bytes=100000001", folder.resolve("model.safetensors.index.json"));
    }
}
