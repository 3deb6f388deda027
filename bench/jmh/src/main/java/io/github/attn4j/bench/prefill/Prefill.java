// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Scenario;
import org.openjdk.jmh.annotations.Param;

/** Scenario prefill: forward attention over a whole prompt. */
public class Prefill extends Scenario {
    /** Sizes, see {@link AttentionShape}. */
    @Param("1x12:512x512x64")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "attn4j-bf16", "attn4j-f16", "pytorch-f32", "pytorch-bf16", "onnxruntime-attention",
        "onnxruntime-mha", "onnxruntime-gqa", "openblas", "java", "vector"
    })
    public String contender;

    /** Creates a state for JMH. */
    public Prefill() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, AttentionOperands in) throws OrtException {
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

    @Override
    protected Entry enter() throws OrtException {
        AttentionOperands in = AttentionOperands.of(AttentionShape.parse(shape), threads);
        return Entry.ofAttention(contender, contender(contender, in), in);
    }
}
