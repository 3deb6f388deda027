// SPDX-License-Identifier: Apache-2.0
// Token after token with a cache, a decoder gives what it gives for the whole sequence at once.
package io.github.attn4j.transformers.decoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.tensor.DType;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecoderTest {
    private static final int TOKENS = 23;

    private static DecoderShape small(DecoderShape.Family family) {
        return new DecoderShape(family, 3, 48, 6, family == DecoderShape.Family.LLAMA ? 2 : 6, 80, 101, 40);
    }

    private static float[] whole(Decoder decoder, int[] tokens) {
        List<KeyValueCache> caches = decoder.caches(DType.FLOAT32, tokens.length);
        try (DecoderPass pass = new DecoderPass(decoder, tokens.length)) {
            return pass.run(tokens, caches).toFloatArray();
        } finally {
            caches.forEach(KeyValueCache::close);
        }
    }

    @ParameterizedTest
    @EnumSource(DecoderShape.Family.class)
    void tokenAfterTokenIsTheWholeAtOnce(DecoderShape.Family family) {
        int[] tokens = new SplittableRandom(5).ints(TOKENS, 0, 101).toArray();
        try (Decoder decoder = new Decoder(small(family), 3, 0); DecoderPass one = new DecoderPass(decoder, 1)) {
            List<KeyValueCache> caches = decoder.caches(DType.FLOAT32, 8);
            float[] before = null;
            for (int i = 0; i < TOKENS; i++) {
                float[] logits = one.run(new int[] {tokens[i]}, caches).toFloatArray();
                assertEquals(101, logits.length);
                assertArrayEquals(whole(decoder, Arrays.copyOf(tokens, i + 1)), logits, 2e-5f);
                assertTrue(!Arrays.equals(before, logits));
                before = logits;
            }
            caches.forEach(KeyValueCache::close);
        }
    }

    @ParameterizedTest
    @EnumSource(DecoderShape.Family.class)
    void orderCounts(DecoderShape.Family family) {
        try (Decoder decoder = new Decoder(small(family), 3, 0)) {
            float[] logits = whole(decoder, new int[] {1, 2, 3, 4});
            float[] swapped = whole(decoder, new int[] {2, 1, 3, 4});
            double most = 0;
            for (int i = 0; i < logits.length; i++) {
                most = Math.max(most, Math.abs(logits[i] - swapped[i]));
            }
            assertTrue(most > 1e-3, "largest difference " + most);
        }
    }

    @ParameterizedTest
    @EnumSource(DecoderShape.Family.class)
    void printsTheShapeAndThatTheTextMeansNothing(DecoderShape.Family family) {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        Decode.run(new PrintStream(printed, true, StandardCharsets.UTF_8), small(family), 7, 5);
        String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("layers=3 width=48 heads=6"), text);
        assertTrue(text.contains("random weights: the text means nothing"), text);
        assertTrue(text.contains("FLOAT32  cache: 7 tokens read at "), text);
    }

    @Test
    void badArguments() {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        for (String[] bad : new String[][] {
            {"--shape=bert", "shape=bert"}, {"--tokens=0", "tokens=0"}, {"--prompt=2000", "positions=2048"},
            {"--speed=1", "--speed=1"}}) {
            IllegalArgumentException error = assertThrows(IllegalArgumentException.class,
                () -> Decode.run(nowhere, bad[0]));
            assertTrue(error.getMessage().contains(bad[1]), error.getMessage());
        }
    }
}
