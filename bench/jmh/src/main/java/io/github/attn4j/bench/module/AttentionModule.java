// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.Scenario;
import org.openjdk.jmh.annotations.Param;

/** Scenario module: multi-head self-attention with its four projections, as nn.MultiheadAttention defines it. */
public class AttentionModule extends Scenario {
    /** Sizes, see {@link ModuleShape}. */
    @Param("4x128x768/12")
    public String shape;

    /** Who runs. */
    @Param({
        "attn4j-f32", "pytorch-nn-f32", "pytorch-sdpa-f32", "pytorch-sdpa-bf16", "onnxruntime-packed",
        "onnxruntime-mha", "djl"
    })
    public String contender;

    /** Creates a state for JMH. */
    public AttentionModule() {}

    /** A contender of this scenario. */
    public static Contender contender(String name, ModuleOperands in) throws OrtException {
        return switch (name) {
            case "attn4j-f32" -> new Attn4jModule(in);
            case "pytorch-nn-f32" -> new TorchModule(in);
            case "pytorch-sdpa-f32" -> new TorchSdpaModule(in, "f32");
            case "pytorch-sdpa-bf16" -> new TorchSdpaModule(in, "bf16");
            case "onnxruntime-packed" -> new OrtModule(in, true);
            case "onnxruntime-mha" -> new OrtModule(in, false);
            case "djl" -> new DjlModule(in);
            default -> throw new IllegalArgumentException("no such contender in module: contender=" + name);
        };
    }

    @Override
    protected Entry enter() throws OrtException {
        ModuleOperands in = ModuleOperands.of(ModuleShape.parse(shape), threads);
        return new Entry(contender, contender(contender, in), in::error);
    }
}
