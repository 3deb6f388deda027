// SPDX-License-Identifier: Apache-2.0
// A BERT of a few kilobytes, shaped as exporters write it, for tests of damaged and incomplete files.
package io.github.attn4j.transformers;

import io.github.attn4j.transformers.onnx.OnnxWriter;
import java.util.Random;
import java.util.Set;

final class TinyBert {
    static final int HIDDEN = 4;
    static final int INTERMEDIATE = 8;
    static final int VOCABULARY = 9;
    static final int POSITIONS = 6;

    private final OnnxWriter writer = new OnnxWriter();
    private final Random random = new Random(7);
    private final Set<String> leftOut;
    private int anonymous = 700;

    private TinyBert(Set<String> leftOut) {
        this.leftOut = leftOut;
    }

    /** The model's bytes, with two layers, without the weights named. */
    static byte[] model(String... leftOut) {
        TinyBert bert = new TinyBert(Set.of(leftOut));
        bert.weight("embeddings.word_embeddings.weight", VOCABULARY, HIDDEN);
        bert.weight("embeddings.position_embeddings.weight", POSITIONS, HIDDEN);
        bert.weight("embeddings.token_type_embeddings.weight", 2, HIDDEN);
        bert.norm("embeddings.LayerNorm");
        bert.layer("encoder.layer.0.");
        bert.layer("encoder.layer.1.");
        bert.writer.node("Erf", "erf", "somewhere");
        bert.weight("pooler.dense.weight", HIDDEN, HIDDEN);
        return bert.writer.model();
    }

    private void layer(String start) {
        linear(start + "attention.self.query", HIDDEN, HIDDEN);
        linear(start + "attention.self.key", HIDDEN, HIDDEN);
        linear(start + "attention.self.value", HIDDEN, HIDDEN);
        String query = "/" + start + "attention.self.query";
        writer.constant(query + "/heads", OnnxWriter.integers("", 2));
        writer.constant(query + "/size", OnnxWriter.integers("", 2));
        writer.node("Concat", query + "/Concat", query + "/batch", query + "/heads", query + "/size");
        writer.node("Reshape", query + "/Reshape", query + "/Add", query + "/Concat");
        linear(start + "attention.output.dense", HIDDEN, HIDDEN);
        norm(start + "attention.output.LayerNorm");
        linear(start + "intermediate.dense", HIDDEN, INTERMEDIATE);
        linear(start + "output.dense", INTERMEDIATE, HIDDEN);
        norm(start + "output.LayerNorm");
    }

    private void linear(String module, int in, int out) {
        String name = "onnx::MatMul_" + anonymous++;
        weight(module + ".bias", out);
        if (!leftOut.contains(module + ".weight")) {
            weight(name, in, out);
        }
        writer.node("MatMul", "/" + module + "/MatMul", "x", name);
        writer.node("Add", "/" + module + "/Add", module + ".bias", "/" + module + "/MatMul");
    }

    private void norm(String module) {
        weight(module + ".weight", HIDDEN);
        weight(module + ".bias", HIDDEN);
        String start = "/" + module;
        writer.constant(start + "/epsilon", OnnxWriter.floats("", new float[] {1e-12f}));
        writer.node("Add", start + "/Add", start + "/variance", start + "/epsilon");
        writer.node("Sqrt", start + "/Sqrt", start + "/Add");
        writer.node("Div", start + "/Div", start + "/Sub", start + "/Sqrt");
        writer.node("Mul", start + "/Mul", start + "/Div", module + ".weight");
    }

    private void weight(String name, long... sizes) {
        if (leftOut.contains(name)) {
            return;
        }
        int count = 1;
        for (long size : sizes) {
            count *= (int) size;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() / 2;
        }
        writer.weight(name, values, sizes);
    }
}
