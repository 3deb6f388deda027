// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.Contender;
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

/** Scenario module: multi-head self-attention with its four projections, as nn.MultiheadAttention defines it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Module {
    /** Sizes, see {@link ModuleShape}. */
    @Param("4x128x768/12")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "pytorch-nn-f32", "pytorch-sdpa-f32", "pytorch-sdpa-bf16", "onnxruntime-attention",
        "onnxruntime-mha", "djl"
    })
    public String contender;

    /** Threads of each contender. */
    @Param("1")
    public int threads;

    private Contender running;

    /** Creates a state for JMH. */
    public Module() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, ModuleInputs in) throws OrtException {
        return switch (name) {
            case "attn4j-f32" -> new Attn4jModule(in);
            case "pytorch-nn-f32" -> new TorchModule(in);
            case "pytorch-sdpa-f32" -> new TorchSdpaModule(in, "f32");
            case "pytorch-sdpa-bf16" -> new TorchSdpaModule(in, "bf16");
            case "onnxruntime-attention" -> new OrtModule(in, true);
            case "onnxruntime-mha" -> new OrtModule(in, false);
            case "djl" -> new DjlModule(in);
            default -> throw new IllegalArgumentException("no such contender in module: contender=" + name);
        };
    }

    /** Sets the contender up and compares its output with the definition. */
    @Setup
    public void setup() throws Exception {
        ModuleInputs in = ModuleInputs.of(ModuleShape.parse(shape), threads);
        running = contender(contender, in);
        Facts.check(contender, running, in::error);
    }

    /** Frees it. */
    @TearDown
    public void tearDown() throws Exception {
        running.close();
    }

    /** One forward. */
    @Benchmark
    public void run() throws Exception {
        running.run();
    }
}
