// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.decode;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionInputs;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Expected;
import io.github.attn4j.bench.Facts;
import io.github.attn4j.bench.prefill.Attn4jPrefill;
import io.github.attn4j.bench.prefill.JavaPrefill;
import io.github.attn4j.bench.prefill.OpenBlasPrefill;
import io.github.attn4j.bench.prefill.OrtPrefill;
import io.github.attn4j.bench.prefill.TorchPrefill;
import io.github.attn4j.bench.prefill.VectorPrefill;
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
 * Scenario decode: one query of a growing text against all keys and values before it. Those lie in one tensor, or where
 * the contender has a cache of its own, in that.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Decode {
    /** Sizes, see {@link AttentionShape}, with one query. */
    @Param("1x32/8:1x4096x128")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "attn4j-bf16", "attn4j-f16", "attn4j-cache-f32", "attn4j-cache-bf16", "attn4j-cache-f16",
        "pytorch-f32", "pytorch-bf16", "onnxruntime-attention", "onnxruntime-gqa", "openblas", "java", "vector"
    })
    public String contender;

    /** Threads of each contender. */
    @Param("1")
    public int threads;

    private Contender running;

    /** Creates a state for JMH. */
    public Decode() {}

    /** A contender of this scenario; without a cache, decoding is prefill with one query. */
    public static Contender contender(String name, AttentionInputs in) throws OrtException {
        if (in.shape().queries() != 1) {
            throw new IllegalArgumentException("decode has one query: queries=" + in.shape().queries());
        }
        return switch (name) {
            case "attn4j-f32", "attn4j-bf16", "attn4j-f16" -> new Attn4jPrefill(in, Attn4jTypes.named(name));
            case "attn4j-cache-f32", "attn4j-cache-bf16", "attn4j-cache-f16" ->
                new Attn4jDecode(in, Attn4jTypes.named(name));
            case "pytorch-f32" -> new TorchPrefill(in, "f32");
            case "pytorch-bf16" -> new TorchPrefill(in, "bf16");
            case "onnxruntime-attention" -> new OrtPrefill(in, OrtPrefill.Operator.ATTENTION);
            case "onnxruntime-gqa" -> new OrtDecode(in);
            case "openblas" -> new OpenBlasPrefill(in);
            case "java" -> new JavaPrefill(in);
            case "vector" -> new VectorPrefill(in);
            default -> throw new IllegalArgumentException("no such contender in decode: contender=" + name);
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

    /** One token. */
    @Benchmark
    public void run() throws Exception {
        running.run();
    }
}
