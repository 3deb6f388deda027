// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import io.github.attn4j.Attn4j;
import io.github.attn4j.transformers.SentenceEncoder;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Embeds sentences with a published model, shows which are alike, writes their vectors and a picture, and does the same
 * with ONNX Runtime: how far the results are apart, and how many sentences a second each manages.
 */
@Command(
        name = "attn4j-demo",
        mixinStandardHelpOptions = true,
        description = "Embeds sentences, shows which are alike, and compares with ONNX Runtime.")
public final class Demo implements Callable<Integer> {
    private static final String BUILT_IN = "built-in";
    private static final String MODEL = "all-minilm-l6-v2";
    private static final int PAIRS = 8;
    private static final int LONG_INPUT = 500;
    private static final int STEP = 100;
    private static final int MOST_COMPARED = 2000;
    private static final int MOST_TIMED = 128;
    private static final double SECONDS = 3;
    private static final int BENCH_TOKENS = 128;
    private static final double BENCH_SECONDS = 15;

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    @Option(
            names = "--text",
            paramLabel = "TEXT",
            description = "Sentences, one a line; " + BUILT_IN + ": those that come with the demo.")
    private String text = BUILT_IN;

    @Option(names = "--file", paramLabel = "FILE", description = "A UTF-8 file of sentences, one a line.")
    private String file = "";

    @Option(names = "--output", paramLabel = "DIR", description = "Where the vectors and the picture go.")
    private Path output = Path.of("target", "demo");

    @Option(
            names = "--bench",
            arity = "0..1",
            fallbackValue = "true",
            description = "Only measure: a batch of 32 sentences, and one of 32 x 128 tokens.")
    private boolean bench;

    /** For picocli, which fills in the options. */
    Demo() {}

    /**
     * Runs the demonstration and exits.
     *
     * @param arguments see {@code --help}
     * @throws Exception if the demonstration cannot be started again in a clean environment
     */
    public static void main(String[] arguments) throws Exception {
        OptionalInt rerun = CleanEnvironment.rerun(Demo.class, arguments);
        System.exit(rerun.isPresent() ? rerun.getAsInt() : commandLine().execute(arguments));
    }

    private static CommandLine commandLine() {
        return new CommandLine(new Demo()).setExecutionExceptionHandler((e, line, result) -> {
            if (e instanceof NoSuchFileException missing) {
                System.err.println("There is no file " + missing.getFile());
                return CommandLine.ExitCode.USAGE;
            }
            throw e;
        });
    }

    @Override
    public Integer call() throws Exception {
        List<String> texts = texts();
        if (texts.isEmpty()) {
            System.err.println("There is no sentence in " + (file.isBlank() ? "the text." : file + "."));
            return CommandLine.ExitCode.USAGE;
        }
        if (bench) {
            runBenchmark(texts);
        } else {
            runDemonstration(texts);
        }
        return CommandLine.ExitCode.OK;
    }

    private List<String> texts() throws IOException {
        if (!file.isBlank()) {
            return Texts.file(Path.of(file));
        }
        return text.equals(BUILT_IN)
                ? Texts.builtIn()
                : text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }

    private void runDemonstration(List<String> texts) throws Exception {
        out.printf("%nattn4j %s on %s, %d threads%n", Attn4j.version(), Attn4j.isa(), Attn4j.threads());
        Comparison comparison = new Comparison(MODEL, out);
        try (SentenceEncoder encoder = SentenceEncoder.load(MODEL)) {
            float[][] vectors = encode(encoder, texts);
            out.printf("%s: %d sentences, vectors of %d numbers%n", MODEL, texts.size(), encoder.dimension());
            printPairs(texts, vectors);
            write(texts, vectors, encoder.dimension());
            Difference difference = Difference.between(vectors, comparison.reference(encoder, texts));
            out.printf("%nThe same with ONNX Runtime %s: largest difference %.1e, smallest cosine %.8f%n",
                    OrtEncoder.version(), difference.largest(), difference.leastCosine());
        }
        List<String> timed = texts.subList(0, Math.min(texts.size(), MOST_TIMED));
        comparison.printHeader();
        for (int threads : threadCounts()) {
            comparison.printSpeed(timed.size() + " sentences", timed, threads, 0, SECONDS);
        }
        out.println();
    }

    private void runBenchmark(List<String> texts) throws Exception {
        List<String> batch = Texts.repeated(texts, OrtEncoder.BATCH);
        String longText = String.join(" ", Texts.repeated(texts, BENCH_TOKENS));
        List<String> full = Texts.repeated(List.of(longText), OrtEncoder.BATCH);
        Comparison comparison = new Comparison(MODEL, out);
        out.printf("attn4j %s on %s, OpenBLAS: %s, ONNX Runtime %s%n",
                Attn4j.version(), Attn4j.isa(), Attn4j.openBlas(), OrtEncoder.version());
        comparison.printHeader();
        for (int threads : threadCounts()) {
            comparison.printSpeed("batch 32, real sentences", batch, threads, 0, BENCH_SECONDS);
            comparison.printSpeed("batch 32 x 128 tokens", full, threads, BENCH_TOKENS, BENCH_SECONDS);
        }
    }

    private static int[] threadCounts() {
        int all = Attn4j.threads();
        return all == 1 ? new int[] {1} : new int[] {1, all};
    }

    private static float[][] encode(SentenceEncoder encoder, List<String> texts) {
        if (texts.size() < LONG_INPUT) {
            return encoder.encode(texts);
        }
        List<float[]> vectors = new ArrayList<>(texts.size());
        try (ProgressBar progress = new ProgressBarBuilder()
                .setTaskName("Encoding")
                .setInitialMax(texts.size())
                .setStyle(ProgressBarStyle.ASCII)
                .build()) {
            for (int from = 0; from < texts.size(); from += STEP) {
                int to = Math.min(texts.size(), from + STEP);
                vectors.addAll(List.of(encoder.encode(texts.subList(from, to))));
                progress.stepTo(to);
            }
        }
        return vectors.toArray(new float[0][]);
    }

    private void printPairs(List<String> texts, float[][] vectors) {
        int compared = Math.min(texts.size(), MOST_COMPARED);
        if (compared < 2) {
            return;
        }
        String among = compared < texts.size() ? " among the first " + compared : "";
        out.printf("%nMost similar%s:%n", among);
        for (Similarity.Pair pair : Similarity.best(texts, vectors, compared, PAIRS)) {
            out.printf("  %.3f  %s%n         %s%n", pair.cosine(), texts.get(pair.first()), texts.get(pair.second()));
        }
    }

    private void write(List<String> texts, float[][] vectors, int dimension) throws IOException {
        Files.createDirectories(output);
        Path npy = output.resolve("vectors.npy");
        Path png = output.resolve("similarity.png");
        NpyFile.write(npy, vectors, dimension);
        int drawn = Math.min(texts.size(), SimilarityPicture.MOST_TEXTS);
        SimilarityPicture.write(png, texts, Similarity.matrix(vectors, drawn));
        out.printf("%nWritten: %s (numpy.load reads it)%n         %s%n", npy, png);
    }
}
