// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.transformers.onnx.OnnxFormatException;
import io.github.attn4j.transformers.onnx.OnnxWeights;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BertEncoderTest {
    private static final int FLIPS = 6000;

    private static BertEncoder open(byte[] model) throws IOException {
        return new BertEncoder(
                OnnxWeights.read(new ByteArrayInputStream(model), model.length, "tiny.onnx"), 1, 16);
    }

    private static float[][] encode(BertEncoder encoder, List<int[]> sequences) {
        float[][] vectors = new float[sequences.size()][];
        encoder.encode(sequences, vectors, 0);
        return vectors;
    }

    @Test
    void derivesItsSizesFromTheFile() throws IOException {
        try (BertEncoder encoder = open(TinyBert.model())) {
            assertEquals(
                    new BertConfig(2, 2, TinyBert.HIDDEN, TinyBert.INTERMEDIATE, TinyBert.VOCABULARY,
                            TinyBert.POSITIONS),
                    encoder.config());
        }
    }

    @Test
    void aSequenceDoesNotDependOnItsNeighbours() throws IOException {
        int[] sequence = {1, 5, 8, 2};
        try (BertEncoder encoder = open(TinyBert.model())) {
            float[] alone = encode(encoder, List.of(sequence))[0];
            float[][] together = encode(encoder, List.of(new int[] {3}, sequence, new int[] {7, 7, 7, 7, 7, 7}));
            assertArrayEquals(alone, together[1], 1e-6f);
        }
    }

    @Test
    void aSequenceWithoutTokensIsZero() throws IOException {
        try (BertEncoder encoder = open(TinyBert.model())) {
            float[][] vectors = encode(encoder, List.of(new int[0], new int[] {1, 2}, new int[0]));
            assertArrayEquals(new float[TinyBert.HIDDEN], vectors[0]);
            assertArrayEquals(new float[TinyBert.HIDDEN], vectors[2]);
            assertArrayEquals(encode(encoder, List.of(new int[] {1, 2}))[0], vectors[1], 1e-6f);
            assertEquals(0, encode(encoder, List.of()).length);
        }
    }

    @Test
    void aTokenOutsideTheVocabularyIsRefused() throws IOException {
        try (BertEncoder encoder = open(TinyBert.model())) {
            for (int id : new int[] {-1, TinyBert.VOCABULARY, Integer.MAX_VALUE}) {
                assertThrows(IllegalArgumentException.class, () -> encode(encoder, List.of(new int[] {1, id})));
            }
            encode(encoder, List.of(new int[] {1}));
        }
    }

    @Test
    void allThatIsMissingIsNamedAtOnce() {
        String[] missing = {
            "encoder.layer.0.attention.self.key.weight", "encoder.layer.1.attention.self.query.bias",
            "encoder.layer.1.output.LayerNorm.bias"
        };
        String message = assertThrows(OnnxFormatException.class, () -> open(TinyBert.model(missing))).getMessage();
        assertTrue(message.startsWith("tiny.onnx: "), message);
        for (String name : missing) {
            assertTrue(message.contains("missing " + name), message);
        }
    }

    @Test
    void anotherKindOfModelIsRefused() {
        String message = assertThrows(OnnxFormatException.class,
                        () -> open(TinyBert.model("embeddings.word_embeddings.weight")))
                .getMessage();
        assertTrue(message.contains("missing embeddings.word_embeddings.weight"), message);
    }

    @Test
    void damageIsRefusedOrHarmless() {
        byte[] model = TinyBert.model();
        Random random = new Random(11);
        for (int i = 0; i < FLIPS; i++) {
            byte[] damaged = model.clone();
            int at = random.nextInt(model.length);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            if (i % 3 == 0) {
                damaged[random.nextInt(model.length)] = (byte) random.nextInt();
            }
            try (BertEncoder encoder = open(damaged)) {
                assertTrue(encoder.config().hidden() > 0);
            } catch (IOException e) {
                assertTrue(e.getMessage().startsWith("tiny.onnx: "), () -> at + ": " + e.getMessage());
            }
        }
    }
}
