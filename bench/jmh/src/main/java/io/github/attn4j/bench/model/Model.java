// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Expected;
import io.github.attn4j.bench.Facts;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Scenario model: sentences to vectors, tokenizing included, with the published weights of all-MiniLM-L6-v2. Each
 * contender's vectors are compared with ONNX Runtime's.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Model {
    /** The model's files on the class path. */
    static final String NAME = "all-minilm-l6-v2";

    /** How many sentences are encoded at once. */
    @Param("32")
    public String shape;

    /** Who runs. */
    @Param({"attn4j-f32", "onnxruntime", "langchain4j"})
    public String contender;

    /** Threads of each contender. */
    @Param("1")
    public int threads;

    private Contender running;

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

    /** Sets the contender up and compares its vectors. */
    @Setup
    public void setup() throws Exception {
        List<String> texts = Europarl.sentences(Integer.parseInt(shape));
        float[] expected;
        try (Contender reference = new OrtModel(texts, threads)) {
            reference.run();
            expected = reference.output();
        }
        running = contender(contender, texts, threads);
        Facts.check(contender, running, vectors -> Expected.difference(expected, vectors));
    }

    /** Frees it. */
    @TearDown
    public void tearDown() throws Exception {
        running.close();
    }

    /** All sentences once. */
    @Benchmark
    public void run() throws Exception {
        running.run();
    }
}
