// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentenceEncoderTest {
    private static final String MODEL = "all-minilm-l6-v2";
    private static final float ROUNDING = 1e-6f;
    private static SentenceEncoder encoder;

    @BeforeAll
    static void load() throws IOException {
        encoder = SentenceEncoder.load(MODEL);
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static double length(float[] vector) {
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }

    @Test
    void knowsItsSizes() {
        assertEquals(384, encoder.dimension());
        assertEquals(512, encoder.maxTokens());
        assertArrayEquals(new int[] {101, 7592, 2088, 102}, encoder.tokenize(List.of("Hello world")).get(0));
    }

    @Test
    void theRestOfTheListDoesNotMatter() {
        List<String> texts = Europarl.texts(60);
        float[][] together = encoder.encode(texts);
        for (int i = 0; i < texts.size(); i++) {
            assertArrayEquals(encoder.encode(texts.get(i)), together[i], ROUNDING);
        }
    }

    @Test
    void theLengthOfAPassDoesNotMatter() throws IOException {
        List<String> texts = Europarl.texts(60);
        try (SentenceEncoder small = SentenceEncoder.builder(ModelFiles.onClassPath(MODEL))
                .threads(1)
                .passTokens(1)
                .build()) {
            float[][] expected = encoder.encode(texts);
            float[][] actual = small.encode(texts);
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(expected[i], actual[i], ROUNDING);
            }
        }
    }

    @Test
    void anyTextHasAVectorOfLengthOne() {
        String[] texts = {
            "", " ", "\n\t", "a", "\u0000", "日本語の文章", "😀🏳️‍🌈", "e\u0301", "\uD800", "x\uDC00y", "مرحبا بالعالم",
            "#".repeat(5000), "no spaces ".repeat(4000), "x".repeat(100_000)
        };
        for (String text : texts) {
            assertEquals(1, length(encoder.encode(text)), 1e-5, text);
        }
        assertArrayEquals(encoder.encode(""), encoder.encode(" \n"));
        assertEquals(0, encoder.encode(List.of()).length);
    }

    @Test
    void aLongTextIsCutAtTheModelsPositions() throws IOException {
        String words = "word ".repeat(2000);
        int[] tokens = encoder.tokenize(List.of(words)).get(0);
        assertEquals(512, tokens.length);
        assertEquals(102, tokens[511]);
        assertArrayEquals(encoder.encode("word ".repeat(510)), encoder.encode(words), ROUNDING);
        try (SentenceEncoder shorter =
                SentenceEncoder.builder(ModelFiles.onClassPath(MODEL)).maxTokens(3).build()) {
            assertEquals(3, shorter.tokenize(List.of(words)).get(0).length);
            assertArrayEquals(encoder.encode("word"), shorter.encode(words), ROUNDING);
        }
    }

    @Test
    void manyThreadsEncodeAtOnce() throws Exception {
        List<String> texts = Europarl.texts(40);
        float[][] expected = encoder.encode(texts);
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try {
            Callable<float[][]> work = () -> encoder.encode(texts);
            for (Future<float[][]> result : threads.invokeAll(Collections.nCopies(12, work))) {
                assertTrue(Arrays.deepEquals(expected, result.get()));
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void closingWaitsAndIsFinal() throws Exception {
        SentenceEncoder closing = SentenceEncoder.load(MODEL);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            List<String> texts = Europarl.texts(200);
            closing.encode("warm");
            Future<?> running = thread.submit(() -> {
                while (true) {
                    closing.encode(texts);
                }
            });
            Thread.sleep(50);
            closing.close();
            closing.close();
            Throwable end = assertThrows(ExecutionException.class, running::get).getCause();
            assertEquals("this SentenceEncoder is closed", end.getMessage());
            assertThrows(IllegalStateException.class, () -> closing.encode("late"));
            assertThrows(IllegalStateException.class, () -> closing.tokenize(List.of("late")));
        } finally {
            thread.shutdown();
        }
    }

    @Test
    void badArgumentsNameTheRule() throws IOException {
        ModelFiles files = ModelFiles.onClassPath(MODEL);
        assertThrows(NullPointerException.class, () -> encoder.encode((String) null));
        assertThrows(NullPointerException.class, () -> encoder.encode((List<String>) null));
        String message = assertThrows(NullPointerException.class, () -> encoder.encode(Arrays.asList("a", null)))
                .getMessage();
        assertTrue(message.contains("texts[1]"), message);
        assertThrows(IllegalArgumentException.class, () -> SentenceEncoder.builder(files).threads(0));
        assertThrows(IllegalArgumentException.class, () -> SentenceEncoder.builder(files).maxTokens(2));
        assertThrows(IllegalArgumentException.class, () -> SentenceEncoder.builder(files).passTokens(0));
        message = assertThrows(IllegalArgumentException.class,
                        () -> SentenceEncoder.builder(files).maxTokens(513).build())
                .getMessage();
        assertTrue(message.contains("maxTokens=513 positions=512"), message);
    }

    @Test
    void missingAndDamagedFilesAreNamed(@TempDir Path folder) throws IOException {
        String message = assertThrows(FileNotFoundException.class, () -> SentenceEncoder.load("no-such-model"))
                .getMessage();
        assertTrue(message.contains("langchain4j-embeddings-no-such-model"), message);
        Path absent = folder.resolve("absent");
        Path onnx = Files.write(folder.resolve("tiny.onnx"), TinyBert.model());
        assertThrows(NoSuchFileException.class, () -> SentenceEncoder.load(absent, absent));
        assertThrows(NoSuchFileException.class, () -> SentenceEncoder.load(onnx, absent));
        for (String content : new String[] {"", "{", "{}", "[1]", "not json", "{\"model\": {\"type\": \"None\"}}"}) {
            Path tokenizer = Files.writeString(folder.resolve("tokenizer.json"), content);
            message = assertThrows(IOException.class, () -> SentenceEncoder.load(onnx, tokenizer)).getMessage();
            assertTrue(message.startsWith(tokenizer + ": "), message);
        }
        assertNull(System.getProperty("ai.djl.offline"));
    }
}
