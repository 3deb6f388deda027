// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.conformance;

import io.github.attn4j.internal.Isa;
import io.github.attn4j.nn.ForcedModules;
import io.github.attn4j.nn.Gating;
import io.github.attn4j.nn.GeneralizedQueryAttention;
import io.github.attn4j.nn.GroupedQueryAttention;
import io.github.attn4j.nn.ModuleInputs;
import io.github.attn4j.nn.ProjectedAttention;
import io.github.attn4j.nn.TorchInputs;
import io.github.attn4j.nn.TorchMultiheadAttention;
import io.github.attn4j.nn.WeightedOutput;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs modules on the inputs of a case, with its weights. */
final class Modules {
    private Modules() {}

    static long width(Case c) {
        return (long) c.number("embed", 0);
    }

    static long heads(Case c) {
        return (long) c.number("heads", 0);
    }

    static Map<String, Tensor> run(TensorScope scope, Case c, ProjectedAttention module) {
        module.load(c.params());
        Tensor x = c.in("x");
        ModuleInputs inputs = ModuleInputs.of(x, null);
        if (x == null) {
            Tensor key = c.in("key");
            Tensor value = c.in("value");
            inputs.operands(c.in("query"), key, value == null ? key : value, null).mask(c.in("mask"));
        }
        WeightedOutput output = module.applyWithWeights(scope, inputs);
        return Operations.outputs("y", output.out(), "weights", output.weights());
    }

    static GroupedQueryAttention grouped(Case c, Isa isa) {
        GroupedQueryAttention.Builder builder = ForcedModules.on(
            GroupedQueryAttention.builder(width(c), heads(c), (long) c.number("kv_heads", 0)), isa)
            .headDim((long) c.number("head_dim", 0));
        String gate = c.text("gate", null);
        if (gate != null) {
            builder.gating(gate.equals("headwise") ? Gating.HEADWISE : Gating.ELEMENTWISE);
        }
        if (c.is("bias")) {
            builder.withBias();
        }
        return (c.is("causal") ? builder.causal() : builder).build();
    }

    static Map<String, Tensor> generalized(TensorScope scope, Case c, Isa isa) {
        GeneralizedQueryAttention module = ForcedModules.on(GeneralizedQueryAttention.builder(width(c), heads(c)), isa)
            .build();
        module.load(c.params());
        List<Tensor> outs = module.apply(scope, inputs(c, "query", (int) c.number("queries", 0)),
            inputs(c, "source", (int) c.number("sources", 0)));
        long rows = outs.stream().mapToLong(out -> out.size(1)).sum();
        Tensor y = scope.zeros(DType.FLOAT32, outs.get(0).size(0), rows, width(c));
        long row = 0;
        for (Tensor out : outs) {
            y.slice(1, row, row + out.size(1)).copyFrom(out);
            row += out.size(1);
        }
        return Operations.outputs("y", y);
    }

    private static List<Tensor> inputs(Case c, String name, int count) {
        List<Tensor> inputs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            inputs.add(c.in(name + "." + i));
        }
        return inputs;
    }

    static Map<String, Tensor> torch(TensorScope scope, Case c, Isa isa) {
        TorchMultiheadAttention.Builder builder = ForcedModules.on(TorchMultiheadAttention.builder(
            (long) c.number("embed_dim", 0), (long) c.number("num_heads", 0)), isa);
        if (c.number("kdim", 0) > 0) {
            builder.kdim((long) c.number("kdim", 0));
        }
        if (c.number("vdim", 0) > 0) {
            builder.vdim((long) c.number("vdim", 0));
        }
        if (c.is("add_bias_kv")) {
            builder.addBiasKv();
        }
        if (c.is("add_zero_attn")) {
            builder.addZeroAttn();
        }
        if (c.is("batch_first")) {
            builder.batchFirst();
        }
        TorchMultiheadAttention module = (c.is("bias") ? builder : builder.withoutBias()).build();
        module.load(c.params());
        Tensor query = c.in("query");
        Tensor key = c.in("key") == null ? query : c.in("key");
        Tensor value = c.in("value") == null ? query : c.in("value");
        TorchInputs inputs = TorchInputs.of(query, key, value, null).keyPaddingMask(c.in("key_padding_mask"))
            .attnMask(c.in("attn_mask")).isCausal(c.is("is_causal"));
        if (c.out("weights") == null) {
            return Operations.outputs("y", module.apply(scope, inputs));
        }
        WeightedOutput output = c.is("average_attn_weights") ? module.applyWithAveragedWeights(scope, inputs)
            : module.applyWithWeights(scope, inputs);
        return Operations.outputs("y", output.out(), "weights", output.weights());
    }
}
