// SPDX-License-Identifier: Apache-2.0
// What the lesson prints is what the conformance case says, for one head and for the same head among two.
package io.github.attn4j.transformers.lesson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class LessonTest {
    private static final Path CASE =
            Path.of("..", "attn4j", "src", "test", "resources", "conformance", "golden", "toy_single_head.safetensors");
    private static final double PRINTED = 0.5e-4 + 1e-5;

    private static List<String> lines;
    private static JsonObject header;
    private static ByteBuffer bytes;

    @BeforeAll
    static void run() throws IOException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        new Lesson(new PrintStream(printed, true, StandardCharsets.UTF_8)).run();
        lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
        bytes = ByteBuffer.wrap(Files.readAllBytes(CASE)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] json = new byte[(int) bytes.getLong()];
        bytes.get(json);
        header = JsonParser.parseString(new String(json, StandardCharsets.UTF_8)).getAsJsonObject();
        bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A float32 tensor of the case, row-major. */
    private static double[] expected(String name) {
        JsonArray range = header.getAsJsonObject(name).getAsJsonArray("data_offsets");
        int from = range.get(0).getAsInt();
        double[] values = new double[(range.get(1).getAsInt() - from) / Float.BYTES];
        Arrays.setAll(values, i -> bytes.getFloat(from + i * Float.BYTES));
        return values;
    }

    /** The matrix under the first line that starts so, cut to its first columns, row-major. */
    private static double[] printed(String start, int columns) {
        int line = 0;
        while (!lines.get(line).strip().startsWith(start)) {
            line++;
        }
        int end = line + lines.subList(line, lines.size()).indexOf("");
        return lines.subList(line + 1, end).stream()
                .flatMap(row -> Arrays.stream(row.strip().split(" +")).limit(columns))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    private static double[] product(String left, String right, int inner, int columns) {
        double[] a = expected(left);
        double[] b = expected(right);
        double[] product = new double[a.length / inner * columns];
        for (int i = 0; i < product.length; i++) {
            for (int d = 0; d < inner; d++) {
                product[i] += a[i / columns * inner + d] * b[d * columns + i % columns];
            }
        }
        return product;
    }

    private static void assertPrinted(double[] expected, String start) {
        double[] actual = printed(start, 3);
        assertEquals(expected.length, actual.length, start);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], PRINTED, start + " element " + i);
        }
    }

    @Test
    void inputsAreTheCases() {
        assertEquals(Arrays.toString(expected("in.x")), Arrays.toString(printed("x ", 4)));
        assertPrinted(product("in.x", "param.w_query", 4, 3), "queries = x Wq");
        assertPrinted(product("in.x", "param.w_key", 4, 3), "keys = x Wk");
        assertPrinted(product("in.x", "param.w_value", 4, 3), "values = x Wv");
    }

    @Test
    void oneHeadPrintsTheCasesNumbers() {
        assertPrinted(expected("out.scores"), "scores = queries keys^T");
        assertPrinted(expected("out.weights"), "weights = softmax(scores)");
        assertPrinted(expected("out.y"), "outputs = weights values");
    }

    @Test
    void theSameHeadAmongTwoSeesTheSame() {
        assertPrinted(expected("out.scores"), "scores of head 0");
        assertPrinted(expected("out.weights"), "weights of head 0");
        assertPrinted(expected("out.y"), "outputs of head 0");
        assertPrinted(expected("out.y"), "outputs of both heads");
    }

    @Test
    void theOtherHeadIsWhatItsScoresMakeIt() {
        double[] scores = printed("scores of head 1", 3);
        double[] weights = printed("weights of head 1", 3);
        for (int row = 0; row < 3; row++) {
            double sum = 0;
            for (int key = 0; key < 3; key++) {
                sum += Math.exp(scores[row * 3 + key]);
            }
            for (int key = 0; key < 3; key++) {
                assertEquals(Math.exp(scores[row * 3 + key]) / sum, weights[row * 3 + key], PRINTED);
            }
        }
        double[] outputs = printed("outputs of head 1", 3);
        double[] joined = printed("outputs of both heads", 6);
        for (int i = 0; i < 9; i++) {
            assertEquals(outputs[i], joined[i / 3 * 6 + 3 + i % 3]);
        }
    }

    @Test
    void everyMatrixIsPrintedWithItsShape() {
        assertTrue(lines.stream().filter(line -> line.matches(" {4}\\S.* \\[\\w.*\\] = \\[3, [346]\\]")).count() >= 17);
    }
}
