// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Expected;
import io.github.attn4j.bench.Scenario;
import io.github.attn4j.transformers.ModelFiles;
import io.github.attn4j.transformers.SentenceEncoder;
import java.io.IOException;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/**
 * Scenario model: sentences to vectors, tokenizing included, with the published weights of all-MiniLM-L6-v2. Each
 * contender's vectors are compared with ONNX Runtime's.
 */
public class Model extends Scenario {
    /** The model's files on the class path. */
    static final String NAME = "all-minilm-l6-v2";
    /** Where the tokenizer that is published with it, and so langchain4j, cuts a sentence. */
    static final int MAX_TOKENS = 128;

    /** How many sentences are encoded at once. */
    @Param("32")
    public String shape;

    /** Who runs. */
    @Param({"attn4j-f32", "onnxruntime", "langchain4j"})
    public String contender;

    /** Creates a state for JMH. */
    public Model() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, List<String> texts, int threads) throws Exception {
        return switch (name) {
            case "attn4j-f32" -> new Attn4jModel(texts, threads);
            case "onnxruntime" -> new OrtModel(texts, threads);
            case "langchain4j" -> new LangChain4jModel(texts, threads);
            default -> throw new IllegalArgumentException("no such contender in model: contender=" + name);
        };
    }

    /** {@return how many tokens each of so many sentences has, special ones included, for the work without a JVM} */
    public static List<Integer> lengths(int sentences) throws IOException {
        List<String> texts = Europarl.sentences(sentences);
        try (SentenceEncoder tokenizer = SentenceEncoder.builder(ModelFiles.onClassPath(NAME))
                .maxTokens(MAX_TOKENS)
                .threads(1)
                .build()) {
            return tokenizer.tokenize(texts).stream().map(tokens -> tokens.length).toList();
        }
    }

    @Override
    protected Entry enter() throws Exception {
        List<String> texts = Europarl.sentences(Integer.parseInt(shape));
        float[] expected;
        try (Contender reference = new OrtModel(texts, threads)) {
            reference.run();
            expected = reference.output();
        }
        return new Entry(contender, contender(contender, texts, threads),
                vectors -> Expected.difference(expected, vectors));
    }
}
