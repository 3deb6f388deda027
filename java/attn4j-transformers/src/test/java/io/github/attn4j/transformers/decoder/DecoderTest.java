// SPDX-License-Identifier: Apache-2.0
// Token after token with a cache, a decoder gives what it gives for the whole sequence at once.
package io.github.attn4j.transformers.decoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.attn4j.nn.Sampler;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
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

    /** Bytes of the core; by reflection, as the bindings' annotations are of a library that nothing else here needs. */
    private static long nativeMemory() throws ReflectiveOperationException {
        return (long) Class.forName("io.github.attn4j.internal.Native").getMethod("attn4j_memory_allocated")
            .invoke(null);
    }

    private static float[] whole(Decoder decoder, int[] tokens) {
        try (DecoderCaches caches = DecoderCaches.whole(decoder.shape, DType.FLOAT32, tokens.length);
                DecoderPass pass = new DecoderPass(decoder, tokens.length)) {
            return pass.run(tokens, caches).toFloatArray();
        }
    }

    @ParameterizedTest
    @EnumSource(DecoderShape.Family.class)
    void tokenAfterTokenIsTheWholeAtOnce(DecoderShape.Family family) {
        int[] tokens = new SplittableRandom(5).ints(TOKENS, 0, 101).toArray();
        try (Decoder decoder = new Decoder(small(family), 3, 0);
                DecoderPass one = new DecoderPass(decoder, 1);
                DecoderCaches caches = DecoderCaches.whole(decoder.shape, DType.FLOAT32, 8);
                DecoderCaches pages = DecoderCaches.paged(decoder.shape, DType.FLOAT32, TOKENS)) {
            float[] before = null;
            for (int i = 0; i < TOKENS; i++) {
                int[] token = {tokens[i]};
                float[] logits = one.run(token, caches).toFloatArray();
                assertEquals(101, logits.length);
                float[] whole = whole(decoder, Arrays.copyOf(tokens, i + 1));
                assertArrayEquals(whole, logits, 2e-5f);
                assertArrayEquals(whole, one.run(token, pages).toFloatArray(), 2e-5f);
                assertTrue(!Arrays.equals(before, logits));
                before = logits;
            }
        }
    }

    /** Of any type of cache, in Java or natively, but for the room that caches take when they grow. */
    @ParameterizedTest
    @EnumSource(DecoderShape.Family.class)
    void decodingAllocatesNothing(DecoderShape.Family family) throws ReflectiveOperationException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Decoder decoder = new Decoder(small(family), 3, 1);
                DecoderPass pass = new DecoderPass(decoder, 1);
                TensorScope scope = TensorScope.open()) {
            Sampler sampler = Sampler.builder().temperature(0.8).topK(40).topP(0.95).seed(1).threads(1).build();
            Tensor token = scope.zeros(DType.INT32, 1);
            int[] next = new int[1];
            for (DType type : List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16, DType.INT8)) {
                for (boolean paged : new boolean[] {false, true}) {
                    try (DecoderCaches caches = paged ? DecoderCaches.paged(decoder.shape, type, 40)
                            : DecoderCaches.whole(decoder.shape, type, 40)) {
                        long memory = 0;
                        long least = Long.MAX_VALUE;
                        // The JIT allocates on this thread while it warms up; the best of some rounds is steady.
                        for (int round = 0; round < 40 && least > 0; round++) {
                            long before = threads.getCurrentThreadAllocatedBytes();
                            for (int i = 0; i < 400; i++) {
                                if (caches.length() == 40) {
                                    caches.clear();
                                }
                                sampler.run(pass.run(next, caches), i, token);
                                token.copyTo(next);
                            }
                            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                            memory = round == 0 ? nativeMemory() : memory;
                        }
                        assertEquals(0, least, type + " paged=" + paged);
                        // It may become less, when the Cleaner gets to what other tests forgot.
                        assertTrue(nativeMemory() <= memory, type + " paged=" + paged);
                    }
                }
            }
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
        for (String type : List.of("FLOAT32", "BFLOAT16", "FLOAT16", "INT8")) {
            assertTrue(text.matches("(?s).*" + type + " cache *: 7 tokens read at .*"), text);
            assertTrue(text.matches("(?s).*" + type + " pages *: 7 tokens read at .*"), text);
        }
    }

    @Test
    void badArguments() {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        for (String[] bad : new String[][] {
            {"--shape=bert", "shape=bert"}, {"--tokens=0", "tokens=0"}, {"--tokens=abc", "tokens=abc"},
            {"--prompt=2000", "positions=2048"},
            {"--speed=1", "--speed=1"}}) {
            IllegalArgumentException error = assertThrows(IllegalArgumentException.class,
                () -> Decode.run(nowhere, bad[0]));
            assertTrue(error.getMessage().contains(bad[1]), error.getMessage());
        }
    }
}
