// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.attn4j.attention.Alignment;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.AttentionPlan;
import io.github.attn4j.attention.ForcedIsa;
import io.github.attn4j.attention.ScoreStage;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.nn.CrossAttention;
import io.github.attn4j.nn.ForcedModules;
import io.github.attn4j.nn.GatedSelfAttention;
import io.github.attn4j.nn.MultiHeadAttention;
import io.github.attn4j.nn.MultiHeadSelfAttention;
import io.github.attn4j.nn.MultiHeadedAttention;
import io.github.attn4j.nn.SelfAttention;
import io.github.attn4j.onnx.ForcedOnnx;
import io.github.attn4j.onnx.OnnxAttention;
import io.github.attn4j.onnx.OnnxRotaryEmbedding;
import io.github.attn4j.onnx.OnnxTensorScatter;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;

/** What computes the outputs of a case, by its op. */
enum Operations {
    /** Scaled dot product attention. */
    SDPA("sdpa") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            Tensor q = c.in("q");
            Tensor k = c.in("k");
            Attention.Builder builder = Attention.builder().weights();
            builder.window((long) c.number("window_left", -1), (long) c.number("window_right", -1));
            builder.softcap((float) c.number("softcap", 0));
            if (c.has("scale")) {
                builder.scale((float) c.number("scale", 0));
            }
            boolean topLeft = c.text("align", "bottom_right").equals("top_left");
            builder.alignment(topLeft ? Alignment.TOP_LEFT : Alignment.BOTTOM_RIGHT);
            if (c.is("causal")) {
                builder.causal();
            }
            Tensor out = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(2), c.in("v").size(3));
            Tensor lse = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(2));
            Tensor weights = scope.zeros(DType.FLOAT32, q.size(0), q.size(1), q.size(2), k.size(2));
            Tensor mask = c.in("mask");
            boolean keeps = mask != null && mask.dtype() == DType.BOOL;
            AttentionInputs inputs = AttentionInputs.of(q, k, c.in("v"), out).lse(lse).scores(weights)
                .keyLengths(c.in("key_lengths")).slopes(c.in("alibi_slopes")).sinks(c.in("sinks"))
                .mask(keeps ? mask : null).bias(keeps ? null : mask);
            runOn(isa, ForcedIsa.on(builder, isa).build(), inputs);
            return outputs("y", out, "lse", lse, "weights", weights);
        }
    },
    /** The worked example. */
    TOY("toy") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            Tensor q = product(scope, c.in("x"), c.param("w_query"));
            Tensor k = product(scope, c.in("x"), c.param("w_key"));
            Tensor v = product(scope, c.in("x"), c.param("w_value"));
            Tensor out = scope.zeros(DType.FLOAT32, 1, 1, q.size(2), v.size(3));
            Map<String, Tensor> outputs = outputs("y", out.select(0, 0).select(0, 0));
            for (String stage : new String[] {"scores", "weights"}) {
                Attention.Builder builder = Attention.builder().scale((float) c.number("scale", 1));
                Tensor scores = scope.zeros(DType.FLOAT32, 1, 1, q.size(2), k.size(2));
                builder.scores(stage.equals("scores") ? ScoreStage.SCALED : ScoreStage.WEIGHTS);
                runOn(isa, ForcedIsa.on(builder, isa).build(), AttentionInputs.of(q, k, v, out).scores(scores));
                outputs.put(stage, scores.select(0, 0).select(0, 0));
            }
            return outputs;
        }
    },
    /** ONNX's. */
    ATTENTION("Attention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            OnnxAttention.Builder builder = ForcedOnnx.on(OnnxAttention.builder(), isa);
            if (c.has("q_num_heads")) {
                builder.qNumHeads((long) c.number("q_num_heads", 0)).kvNumHeads((long) c.number("kv_num_heads", 0));
            }
            if (c.has("scale")) {
                builder.scale((float) c.number("scale", 0));
            }
            builder.softcap((float) c.number("softcap", 0));
            builder.window((long) c.number("left_window_size", -1), (long) c.number("right_window_size", -1));
            if (c.is("is_causal")) {
                builder.causal();
            }
            if (c.out("qk_matmul_output") != null) {
                builder.qkMatmulOutputMode((int) c.number("qk_matmul_output_mode", 0));
            }
            if (c.has("softmax_precision")) {
                builder.softmaxPrecision((int) c.number("softmax_precision", 1));
            }
            OnnxAttention operator = builder.build();
            prove(isa, ForcedOnnx.attention(operator));
            OnnxAttention.Outputs outputs = operator.apply(scope, OnnxAttention.inputs(c.in("Q"), c.in("K"), c.in("V"))
                .attnMask(c.in("attn_mask")).past(c.in("past_key"), c.in("past_value"))
                .nonpadKvSeqlen(c.in("nonpad_kv_seqlen")));
            return outputs("Y", outputs.y(), "present_key", outputs.presentKey(), "present_value",
                outputs.presentValue(), "qk_matmul_output", outputs.qkMatmulOutput());
        }
    },
    /** ONNX's. */
    ROTARY_EMBEDDING("RotaryEmbedding") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            OnnxRotaryEmbedding.Builder builder = ForcedOnnx.on(OnnxRotaryEmbedding.builder(), isa)
                .rotaryEmbeddingDim((long) c.number("rotary_embedding_dim", 0));
            if (c.is("interleaved")) {
                builder.interleaved();
            }
            if (c.is("num_heads")) {
                builder.numHeads((long) c.number("num_heads", 0));
            }
            return outputs("output", builder.build().apply(scope, c.in("input"), c.in("cos_cache"), c.in("sin_cache"),
                c.in("position_ids")));
        }
    },
    /** ONNX's. */
    TENSOR_SCATTER("TensorScatter") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            OnnxTensorScatter.Builder builder = OnnxTensorScatter.builder().axis((int) c.number("axis", -2));
            if (c.text("mode", "linear").equals("circular")) {
                builder.circular();
            }
            return outputs("present_cache",
                builder.build().apply(scope, c.in("past_cache"), c.in("update"), c.in("write_indices")));
        }
    },
    /** Separate inputs. */
    MULTI_HEAD_ATTENTION("MultiHeadAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.run(scope, c, ForcedModules.on(MultiHeadAttention.builder(Modules.width(c),
                Modules.heads(c)), isa).build());
        }
    },
    /** The Annotated Transformer's. */
    MULTI_HEADED_ATTENTION("MultiHeadedAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            MultiHeadedAttention module = ForcedModules.on(MultiHeadedAttention.builder(Modules.width(c),
                Modules.heads(c)), isa).keepWeights().build();
            Map<String, Tensor> outputs = Modules.run(scope, c, module);
            assertSame(outputs.get("weights"), module.lastWeights());
            return outputs;
        }
    },
    /** One input. */
    MULTI_HEAD_SELF_ATTENTION("MultiHeadSelfAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.run(scope, c, ForcedModules.on(MultiHeadSelfAttention.builder(Modules.width(c),
                Modules.heads(c)), isa).build());
        }
    },
    /** One head. */
    SELF_ATTENTION("SelfAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.run(scope, c, ForcedModules.on(SelfAttention.builder(Modules.width(c)), isa).build());
        }
    },
    /** One head, two inputs. */
    CROSS_ATTENTION("CrossAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.run(scope, c, ForcedModules.on(CrossAttention.builder(Modules.width(c)), isa).build());
        }
    },
    /** One head, gated. */
    GATED_SELF_ATTENTION("GatedSelfAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.run(scope, c, ForcedModules.on(GatedSelfAttention.builder(Modules.width(c)), isa).build());
        }
    },
    /** A decoder's. */
    GROUPED_QUERY_ATTENTION("GroupedQueryAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.run(scope, c, Modules.grouped(c, isa));
        }
    },
    /** Several queries and sources. */
    GENERALIZED_QUERY_ATTENTION("GeneralizedQueryAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.generalized(scope, c, isa);
        }
    },
    /** PyTorch's. */
    TORCH_MULTIHEAD_ATTENTION("nn.MultiheadAttention") {
        @Override
        Map<String, Tensor> run(TensorScope scope, Case c, Isa isa) {
            return Modules.torch(scope, c, isa);
        }
    };

    private final String op;

    Operations(String op) {
        this.op = op;
    }

    /** Null if there is none yet. */
    static Operations of(String op) {
        for (Operations operation : values()) {
            if (operation.op.equals(op)) {
                return operation;
            }
        }
        return null;
    }

    abstract Map<String, Tensor> run(TensorScope scope, Case c, Isa isa);

    private static void runOn(Isa isa, Attention attention, AttentionInputs inputs) {
        try (AttentionPlan plan = attention.plan(inputs)) {
            assertEquals(isa.label(), plan.isa());
            plan.run(inputs);
        }
    }

    /** Plans of this attention run on that instruction set. */
    private static void prove(Isa isa, Attention attention) {
        try (TensorScope scope = TensorScope.open()) {
            Tensor one = scope.zeros(DType.FLOAT32, 1, 1, 1, 1);
            AttentionInputs inputs = AttentionInputs.of(one, one, one, one);
            try (AttentionPlan plan = attention.plan(ForcedIsa.writes(attention) ? inputs.scores(one) : inputs)) {
                assertEquals(isa.label(), plan.isa());
            }
        }
    }

    static Map<String, Tensor> outputs(Object... namesAndTensors) {
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        for (int i = 0; i < namesAndTensors.length; i += 2) {
            outputs.put((String) namesAndTensors[i], (Tensor) namesAndTensors[i + 1]);
        }
        return outputs;
    }

    /** x w as [1, 1, rows, columns], in double precision. */
    private static Tensor product(TensorScope scope, Tensor x, Tensor w) {
        int rows = (int) x.size(0);
        int inner = (int) x.size(1);
        int columns = (int) w.size(1);
        float[] left = x.toFloatArray();
        float[] right = w.toFloatArray();
        float[] product = new float[rows * columns];
        for (int i = 0; i < product.length; i++) {
            double sum = 0;
            for (int d = 0; d < inner; d++) {
                sum += (double) left[i / columns * inner + d] * right[d * columns + i % columns];
            }
            product[i] = (float) sum;
        }
        return scope.of(product, 1, 1, rows, columns);
    }
}
