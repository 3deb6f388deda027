// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** ONNX Runtime for Java, and langchain4j on it. */
class OrtContendersTest extends Contenders {
    OrtContendersTest() {
        prefill("onnxruntime-attention", "onnxruntime-mha");
        causal("onnxruntime-attention", "onnxruntime-gqa");
        decode("onnxruntime-attention", "onnxruntime-gqa");
        overhead("onnxruntime-mha");
        module("onnxruntime-packed", "onnxruntime-mha");
        model("langchain4j");
        refused("onnxruntime-gqa", "1x1:4x4x64");
        refused("onnxruntime-mha", "1x2/1:4x4x64");
        refused("onnxruntime-attention", "1x1:4x8x64:causal");
    }
}
