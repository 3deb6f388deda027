// SPDX-License-Identifier: Apache-2.0
// The same texts through attn4j and through ONNX Runtime: equal results, and sentences per second from text to vectors.
// Both sides take the same tokenizer, number of threads and sentences; ONNX Runtime's batches have 32 sentences.
package io.github.attn4j.transformers.demo;

import ai.onnxruntime.OrtException;
import io.github.attn4j.transformers.ModelFiles;
import io.github.attn4j.transformers.SentenceEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.List;

final class Comparison {
    private static final String FORMAT = "  %-28s %8s %14s %14s %8s%n";

    private final String model;
    private final byte[] onnx;
    private final PrintStream out;

    Comparison(String model, PrintStream out) throws IOException {
        this.model = model;
        this.out = out;
        try (InputStream in = Comparison.class.getResourceAsStream("/" + model + ".onnx")) {
            onnx = in.readAllBytes();
        }
    }

    /** The vectors of ONNX Runtime for texts tokenized by {@code encoder}. */
    float[][] reference(SentenceEncoder encoder, List<String> texts) throws OrtException {
        try (OrtEncoder ort = new OrtEncoder(onnx, Runtime.getRuntime().availableProcessors())) {
            return ort.encode(encoder.tokenize(texts));
        }
    }

    void printHeader() {
        out.println("Sentences per second, from text to vectors, medians of turns; ONNX Runtime pads batches of 32:");
        out.printf(FORMAT, "", "threads", "ONNX Runtime", "attn4j", "");
    }

    /** Prints one line; {@code maxTokens} is 0 for the model's own. */
    void printSpeed(String what, List<String> texts, int threads, int maxTokens, double seconds) throws Exception {
        SentenceEncoder.Builder builder =
                SentenceEncoder.builder(ModelFiles.onClassPath(model)).threads(threads);
        if (maxTokens > 0) {
            builder.maxTokens(maxTokens);
        }
        try (SentenceEncoder encoder = builder.build();
                OrtEncoder ort = new OrtEncoder(onnx, threads)) {
            Interleaved.Medians medians = Interleaved.measure(
                    () -> encoder.encode(texts), () -> ort.encode(encoder.tokenize(texts)), seconds);
            out.printf(FORMAT, what, threads, rate(texts, medians.second()), rate(texts, medians.first()),
                    String.format("%.2f x", medians.second() / medians.first()));
        }
    }

    private static String rate(List<String> texts, double seconds) {
        return String.format("%.1f", texts.size() / seconds);
    }
}
