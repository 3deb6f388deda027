// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.overhead;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Facts;
import io.github.attn4j.bench.Scenario;
import io.github.attn4j.bench.prefill.Prefill;
import java.util.Optional;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Scenario overhead: the smallest attention that is of use, where what a call costs beside its arithmetic decides. The
 * contenders are those of prefill, and attn4j without a plan of the user's.
 */
public class Overhead extends Scenario {
    /** Sizes, see {@link AttentionShape}. */
    @Param("1x12:8x8x64")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "attn4j-unplanned", "pytorch-f32", "onnxruntime-attention", "onnxruntime-mha", "openblas", "java",
        "vector"
    })
    public String contender;

    private AttentionOperands inputs;

    /** Creates a state for JMH. */
    public Overhead() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, AttentionOperands in) throws OrtException {
        return name.equals("attn4j-unplanned") ? new Attn4jUnplanned(in) : Prefill.contender(name, in);
    }

    @Override
    protected Entry enter() throws OrtException {
        inputs = AttentionOperands.of(AttentionShape.parse(shape), threads);
        return Entry.ofAttention(contender, contender(contender, inputs), inputs);
    }

    /** Of attn4j the boundary is measured, once its code is compiled. */
    @TearDown
    public void measureBoundary() throws Exception {
        if (contender.equals("attn4j-f32")) {
            Optional<CallsFromC.Boundary> boundary = CallsFromC.boundary(inputs);
            if (boundary.isPresent()) {
                Facts.add("boundaryNanoseconds", boundary.get().nanoseconds());
                Facts.add("boundaryBytes", boundary.get().bytes());
            }
        }
    }
}
