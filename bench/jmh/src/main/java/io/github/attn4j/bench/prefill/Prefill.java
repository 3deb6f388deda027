// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionInputs;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Expected;
import io.github.attn4j.bench.Facts;
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

/** Scenario prefill: forward attention over a whole prompt. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Prefill {
    /** Sizes, see {@link AttentionShape}. */
    @Param("1x12:512x512x64")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "attn4j-bf16", "attn4j-f16", "pytorch-f32", "pytorch-bf16", "onnxruntime-attention",
        "onnxruntime-mha", "onnxruntime-gqa", "openblas", "java", "vector"
    })
    public String contender;

    /** Threads of each contender. */
    @Param("1")
    public int threads;

    private Contender running;

    /** Creates a state for JMH. */
    public Prefill() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, AttentionInputs in) throws OrtException {
        return switch (name) {
            case "attn4j-f32", "attn4j-bf16", "attn4j-f16" -> new Attn4jPrefill(in, Attn4jTypes.named(name));
            case "pytorch-f32" -> new TorchPrefill(in, "f32");
            case "pytorch-bf16" -> new TorchPrefill(in, "bf16");
            case "onnxruntime-attention" -> new OrtPrefill(in, OrtPrefill.Operator.ATTENTION);
            case "onnxruntime-mha" -> new OrtPrefill(in, OrtPrefill.Operator.MULTI_HEAD);
            case "onnxruntime-gqa" -> new OrtPrefill(in, OrtPrefill.Operator.GROUP_QUERY);
            case "openblas" -> new OpenBlasPrefill(in);
            case "java" -> new JavaPrefill(in);
            case "vector" -> new VectorPrefill(in);
            default -> throw new IllegalArgumentException("no such contender in prefill: contender=" + name);
        };
    }

    /** Sets the contender up and compares its output with the definition. */
    @Setup
    public void setup() throws Exception {
        AttentionInputs in = AttentionInputs.of(AttentionShape.parse(shape), threads);
        running = contender(contender, in);
        Facts.check(contender, running, out -> Expected.attentionError(in, out));
    }

    /** Frees it. */
    @TearDown
    public void tearDown() throws Exception {
        running.close();
    }

    /** The whole prompt once. */
    @Benchmark
    public void run() throws Exception {
        running.run();
    }
}
