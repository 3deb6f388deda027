// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.decode;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Scenario;
import io.github.attn4j.bench.prefill.Attn4jPrefill;
import io.github.attn4j.bench.prefill.JavaPrefill;
import io.github.attn4j.bench.prefill.OpenBlasPrefill;
import io.github.attn4j.bench.prefill.OrtPrefill;
import io.github.attn4j.bench.prefill.TorchPrefill;
import io.github.attn4j.bench.prefill.VectorPrefill;
import org.openjdk.jmh.annotations.Param;

/**
 * Scenario decode: one query of a growing text against all keys and values before it. Those lie in one tensor, or where
 * the contender has a cache of its own, in that.
 */
public class Decode extends Scenario {
    /** Sizes, see {@link AttentionShape}, with one query. */
    @Param("1x32/8:1x4096x128")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "attn4j-bf16", "attn4j-f16", "attn4j-cache-f32", "attn4j-cache-bf16", "attn4j-cache-f16",
        "pytorch-f32", "pytorch-bf16", "onnxruntime-attention", "onnxruntime-gqa", "openblas", "java", "vector"
    })
    public String contender;

    /** Creates a state for JMH. */
    public Decode() {}

    /** A contender of this scenario; without a cache, decoding is prefill with one query. */
    public static Contender contender(String name, AttentionOperands in) throws OrtException {
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

    @Override
    protected Entry enter() throws OrtException {
        AttentionOperands in = AttentionOperands.of(AttentionShape.parse(shape), threads);
        return Entry.ofAttention(contender, contender(contender, in), in);
    }
}
