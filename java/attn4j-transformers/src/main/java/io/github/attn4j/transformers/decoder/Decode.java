// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.Attn4j;
import io.github.attn4j.nn.Sampler;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * Lets a decoder with random weights read a prompt of random tokens and write more, and says how fast it did, for each
 * type of cache, end to end and in pages. The text means nothing.
 */
public final class Decode {
    private static final long SEED = 1;
    private static final int USAGE = 2;
    /** The first wakes the JIT and the pool; the best counts, as others may use the machine too. */
    private static final int ROUNDS = 4;
    private static final int SHOWN = 12;
    private static final List<DType> CACHES = List.of(DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16, DType.INT8);

    private final PrintStream out;
    private final Decoder decoder;
    private final int prompt;
    private final int tokens;

    private Decode(PrintStream out, Decoder decoder, int prompt, int tokens) {
        this.out = out;
        this.decoder = decoder;
        this.prompt = prompt;
        this.tokens = tokens;
    }

    /**
     * Decodes.
     *
     * @param arguments --shape=llama or gpt2, --prompt=, the tokens to read, --tokens=, the tokens to write
     */
    public static void main(String[] arguments) {
        try {
            run(new PrintStream(System.out, true, StandardCharsets.UTF_8), arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(USAGE);
        }
    }

    static void run(PrintStream out, String... arguments) {
        DecoderShape shape = DecoderShape.llama();
        int prompt = 128;
        int tokens = 64;
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            switch (pair[0]) {
                case "--shape" -> shape = DecoderShape.of(pair[pair.length - 1]);
                case "--prompt" -> prompt = count("prompt", pair[pair.length - 1]);
                case "--tokens" -> tokens = count("tokens", pair[pair.length - 1]);
                default -> throw new IllegalArgumentException("unknown argument: " + argument);
            }
        }
        run(out, shape, prompt, tokens);
    }

    static void run(PrintStream out, DecoderShape shape, int prompt, int tokens) {
        if ((long) prompt + tokens > shape.positions()) {
            throw new IllegalArgumentException("prompt and tokens must fit the positions: prompt=" + prompt + " tokens="
                    + tokens + " positions=" + shape.positions());
        }
        try (Decoder decoder = new Decoder(shape, SEED, 0)) {
            out.println(shape);
            out.printf(Locale.ROOT, "%.0f million random weights: the text means nothing, only the speed does%n",
                    decoder.parameters() * 1e-6);
            out.printf("attn4j %s on %s, %d threads%n", Attn4j.version(), Attn4j.isa(), Attn4j.threads());
            new Decode(out, decoder, prompt, tokens).measure();
        }
    }

    private static int count(String name, String text) {
        if (!text.matches("[1-9][0-9]{0,8}")) {
            throw new IllegalArgumentException(name + " must be a whole number of at least 1: " + name + "=" + text);
        }
        return Integer.parseInt(text);
    }

    private void measure() {
        List<Contender> contenders = new ArrayList<>();
        long room = (long) prompt + tokens;
        try (DecoderPass reading = new DecoderPass(decoder, prompt);
            DecoderPass writing = new DecoderPass(decoder, 1)) {
            for (DType type : CACHES) {
                contenders.add(new Contender(type + " cache", DecoderCaches.whole(decoder.shape, type, room)));
                contenders.add(new Contender(type + " pages", DecoderCaches.paged(decoder.shape, type, room)));
            }
            for (int round = 0; round < ROUNDS; round++) {
                contenders.forEach(contender -> contender.run(reading, writing));
            }
            contenders.forEach(Contender::print);
        } finally {
            contenders.forEach(contender -> contender.caches.close());
        }
    }

    /** A kind of cache, and how fast it was at best. */
    private final class Contender {
        final DecoderCaches caches;
        private final String name;
        private final int[] written = new int[tokens];
        private double reading = Double.POSITIVE_INFINITY;
        private double writing = Double.POSITIVE_INFINITY;

        Contender(String name, DecoderCaches caches) {
            this.name = name;
            this.caches = caches;
        }

        void run(DecoderPass prompted, DecoderPass single) {
            int[] read = new SplittableRandom(SEED).ints(prompt, 0, (int) decoder.shape.vocabulary()).toArray();
            int[] next = new int[1];
            Sampler sampler = Sampler.builder().temperature(0.8).topK(40).topP(0.95).seed(SEED).build();
            try (TensorScope scope = TensorScope.open()) {
                Tensor token = scope.zeros(DType.INT32, 1);
                caches.clear();
                long start = System.nanoTime();
                Tensor logits = prompted.run(read, caches);
                long middle = System.nanoTime();
                for (int i = 0; i < tokens; i++) {
                    sampler.run(logits, i, token);
                    token.copyTo(next);
                    written[i] = next[0];
                    logits = single.run(next, caches);
                }
                reading = Math.min(reading, (middle - start) * 1e-9);
                writing = Math.min(writing, (System.nanoTime() - middle) * 1e-9);
            }
        }

        void print() {
            out.printf(Locale.ROOT, "%-14s: %d tokens read at %.0f a second, %d written at %.1f a second: %s%n", name,
                    prompt, prompt / reading, tokens, tokens / writing, text(written));
        }
    }

    private static String text(int[] tokens) {
        return Arrays.stream(tokens).limit(SHOWN).mapToObj(Integer::toString).collect(Collectors.joining(" "))
                + (tokens.length > SHOWN ? " ..." : "");
    }
}
