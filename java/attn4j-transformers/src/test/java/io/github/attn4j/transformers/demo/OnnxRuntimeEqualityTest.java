// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.transformers.Europarl;
import io.github.attn4j.transformers.SentenceEncoder;
import java.io.PrintStream;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

class OnnxRuntimeEqualityTest {
    private static final String MODEL = "all-minilm-l6-v2";

    @Test
    void embeddingsEqualOnnxRuntimes() throws Exception {
        List<String> texts = Europarl.texts(200).stream()
                .sorted(Comparator.comparingInt(String::length))
                .toList();
        try (SentenceEncoder encoder = SentenceEncoder.load(MODEL)) {
            assertTrue(encoder.tokenize(texts.subList(199, 200)).get(0).length > 300);
            float[][] reference =
                    new Comparison(MODEL, new PrintStream(PrintStream.nullOutputStream())).reference(encoder, texts);
            Difference difference = Difference.between(encoder.encode(texts), reference);
            assertEquals(0, difference.largest(), 2e-5);
            assertEquals(1, difference.leastCosine(), 1e-6);
        }
    }
}
