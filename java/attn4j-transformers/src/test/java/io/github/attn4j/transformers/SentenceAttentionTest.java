// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.TextAttention.Word;
import io.github.attn4j.transformers.onnx.OnnxWeights;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SentenceAttentionTest {
    private static final String MODEL = "all-minilm-l6-v2";
    private static SentenceEncoder encoder;

    @BeforeAll
    static void load() throws IOException {
        encoder = SentenceEncoder.load(MODEL);
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static void assertRowsSumToOne(List<Tensor> layers) {
        for (Tensor layer : layers) {
            float[] weights = layer.toFloatArray();
            int keys = (int) layer.size(2);
            for (int row = 0; row < weights.length / keys; row++) {
                double sum = 0;
                for (int key = 0; key < keys; key++) {
                    assertTrue(weights[row * keys + key] >= 0);
                    sum += weights[row * keys + key];
                }
                assertEquals(1, sum, 1e-5);
            }
        }
    }

    @Test
    void everyRowOfEveryHeadSumsToOne() {
        try (TensorScope scope = TensorScope.open()) {
            for (String text : new String[] {"", "a", "It was too tired.", "word ".repeat(1000)}) {
                TextAttention attention = encoder.attention(scope, text);
                int tokens = encoder.tokenize(List.of(text)).get(0).length;
                assertEquals(tokens, attention.tokens().size());
                assertEquals(6, attention.layers().size());
                for (Tensor layer : attention.layers()) {
                    assertEquals("[12, " + tokens + ", " + tokens + "]", layer.shape().toString());
                }
                assertRowsSumToOne(attention.layers());
            }
        }
    }

    @Test
    void wordsStandAsInTheText() {
        try (TensorScope scope = TensorScope.open()) {
            String text = "\uD83D\uDE00 x\uD800y Transformers, DIDN'T \u00dcn\u00ef!";
            TextAttention attention = encoder.attention(scope, text);
            assertEquals("[CLS]", attention.tokens().get(0));
            Word word = attention.word("transformers").orElseThrow();
            assertEquals("Transformers", word.text());
            assertEquals(List.of("transformers"), attention.tokens().subList(word.tokens().from(), word.tokens().to()));
            assertEquals("\u00dcn\u00ef", attention.word("\u00fcn\u00ef").orElseThrow().text());
            assertEquals("T", attention.word("t").orElseThrow().text());
            assertTrue(attention.word("[CLS]").isEmpty());
            TextAttention cut = encoder.attention(scope, "an antidisestablishment");
            assertEquals(new TokenSpan(2, 8), cut.word("antidisestablishment").orElseThrow().tokens());
        }
    }

    @Test
    void theTokensAreThoseOfTheEncoding() throws IOException {
        try (SentenceTokenizer tokenizer = new SentenceTokenizer(ModelFiles.onClassPath(MODEL), 16, false)) {
            String[] texts = {"", "a\uD800b", "x\uDC00", "e\u0301 \uD83C\uDFF3\uFE0F", "word ".repeat(99)};
            for (String text : texts) {
                SentenceTokenizer.Pieces pieces = tokenizer.pieces(text);
                assertArrayEquals(tokenizer.tokenize(List.of(text)).get(0), pieces.ids());
                assertEquals(pieces.ids().length, pieces.tokens().size());
            }
        }
    }

    @Test
    void askingChangesNoVectorAndThreadsChangeNoWeight() throws IOException {
        String text = "The animal didn't cross the street because it was too tired.";
        float[] before = encoder.encode(text);
        try (TensorScope scope = TensorScope.open();
                SentenceEncoder single = SentenceEncoder.builder(ModelFiles.onClassPath(MODEL)).threads(1).build()) {
            List<Tensor> all = encoder.attention(scope, text).layers();
            List<Tensor> one = single.attention(scope, text).layers();
            for (int layer = 0; layer < all.size(); layer++) {
                assertArrayEquals(all.get(layer).toFloatArray(), one.get(layer).toFloatArray());
            }
        }
        assertArrayEquals(before, encoder.encode(text));
    }

    @Test
    void oneTokenOrNoneHasWeightsToo() throws IOException {
        byte[] model = TinyBert.model();
        try (TensorScope scope = TensorScope.open();
                BertEncoder tiny = new BertEncoder(
                        OnnxWeights.read(new ByteArrayInputStream(model), model.length, "tiny.onnx"), 1, 16)) {
            // Weights of few queries over few keys come from the lse, and are 1 but for its rounding.
            assertArrayEquals(new float[] {1, 1}, tiny.attention(scope, new int[] {5}).get(1).toFloatArray());
            assertEquals(0, tiny.attention(scope, new int[0]).get(1).elements());
            assertRowsSumToOne(tiny.attention(scope, new int[] {1, 5, 8, 2, 3}));
            assertThrows(IllegalArgumentException.class, () -> tiny.attention(scope, new int[] {TinyBert.VOCABULARY}));
        }
    }

    @Test
    void badArgumentsAreRefused() throws IOException {
        TensorScope closed = TensorScope.open();
        closed.close();
        assertThrows(IllegalStateException.class, () -> encoder.attention(closed, "a"));
        assertThrows(NullPointerException.class, () -> encoder.attention(null, "a"));
        SentenceEncoder gone = SentenceEncoder.load(MODEL);
        gone.close();
        try (TensorScope scope = TensorScope.open()) {
            assertThrows(NullPointerException.class, () -> encoder.attention(scope, null));
            assertThrows(IllegalStateException.class, () -> gone.attention(scope, "late"));
        }
    }
}
