// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.overhead;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionInputs;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Expected;
import io.github.attn4j.bench.Facts;
import io.github.attn4j.bench.prefill.Prefill;
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
 * Scenario overhead: the smallest attention that is of use, where what a call costs beside its arithmetic decides. The
 * contenders are those of prefill, and attn4j without a plan of the user's.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Overhead {
    /** Sizes, see {@link AttentionShape}. */
    @Param("1x12:8x8x64")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "attn4j-unplanned", "pytorch-f32", "onnxruntime-attention", "onnxruntime-mha", "openblas", "java",
        "vector"
    })
    public String contender;

    /** Threads of each contender. */
    @Param("1")
    public int threads;

    private Contender running;

    /** Creates a state for JMH. */
    public Overhead() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, AttentionInputs in) throws OrtException {
        return name.equals("attn4j-unplanned") ? new Attn4jUnplanned(in) : Prefill.contender(name, in);
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

    /** One call. */
    @Benchmark
    public void run() throws Exception {
        running.run();
    }
}
