// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.Ort;
import io.github.attn4j.bench.OrtContender;
import io.github.attn4j.bench.onnx.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime with the weights as constants: either its Attention (com.microsoft), which includes the packed
 * projection, or three projections around MultiHeadAttention.
 */
public final class OrtModule extends OrtContender {
    private static final int OPSET = 23;

    private final boolean packed;

    /** Builds the graph. */
    public OrtModule(ModuleOperands in, boolean packed) throws OrtException {
        super(session(in, packed));
        this.packed = packed;
    }

    private static Ort session(ModuleOperands in, boolean packed) throws OrtException {
        ModuleShape s = in.shape();
        long width = s.width();
        long[] rows = {s.batch(), s.rows(), width};
        Graph graph = Graph.opset(OPSET).input("x", rows);
        if (packed) {
            graph.constant("inWeight", transposed(in.inWeight(), s.width(), 0, 3 * s.width()), width, 3 * width)
                    .constant("inBias", in.inBias(), 3 * width)
                    .node(Graph.MICROSOFT, "Attention", List.of("x", "inWeight", "inBias"), List.of("joined"),
                            Map.of("num_heads", (long) s.heads()));
        } else {
            for (int part = 0; part < 3; part++) {
                int from = part * s.width();
                projection(graph, in.inWeight(), Arrays.copyOfRange(in.inBias(), from, from + s.width()), from, "x",
                        "qkv".substring(part, part + 1));
            }
            graph.node(Graph.MICROSOFT, "MultiHeadAttention", List.of("q", "k", "v"), List.of("joined"),
                    Map.of("num_heads", (long) s.heads()));
        }
        projection(graph, in.outWeight(), in.outBias(), 0, "joined", "out");
        return new Ort(graph.output("out", rows).bytes(), in.threads()).input("x", in.x(), rows).output("out", rows);
    }

    private static void projection(Graph graph, float[] weight, float[] bias, int from, String input, String output) {
        int width = bias.length;
        graph.constant(output + "Weight", transposed(weight, width, from, width), width, width)
                .constant(output + "Bias", bias, width)
                .node("", "MatMul", List.of(input, output + "Weight"), List.of(output + "Product"), Map.of())
                .node("", "Add", List.of(output + "Product", output + "Bias"), List.of(output), Map.of());
    }

    /** Rows from, from + 1, ... of a weight [.., in] as [in, out]. */
    private static float[] transposed(float[] weight, int in, int from, int out) {
        float[] y = new float[in * out];
        for (int o = 0; o < out; o++) {
            for (int i = 0; i < in; i++) {
                y[i * out + o] = weight[(from + o) * in + i];
            }
        }
        return y;
    }

    @Override
    public String describe() {
        return super.describe() + (packed ? ", Attention" : ", MultiHeadAttention") + " of com.microsoft";
    }
}
