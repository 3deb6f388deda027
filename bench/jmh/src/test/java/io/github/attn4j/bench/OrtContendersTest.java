// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ONNX Runtime for Java, and langchain4j on it. */
class OrtContendersTest {
    @ParameterizedTest
    @ValueSource(strings = {"onnxruntime-attention", "onnxruntime-mha"})
    void prefill(String name) throws Exception {
        Checks.prefill(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"onnxruntime-attention", "onnxruntime-gqa"})
    void causal(String name) throws Exception {
        Checks.causal(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"onnxruntime-attention", "onnxruntime-gqa"})
    void decode(String name) throws Exception {
        Checks.decode(name);
    }

    @Test
    void overhead() throws Exception {
        Checks.overhead("onnxruntime-mha");
    }

    @ParameterizedTest
    @ValueSource(strings = {"onnxruntime-attention", "onnxruntime-mha"})
    void module(String name) throws Exception {
        Checks.module(name);
    }

    @Test
    void model() throws Exception {
        Checks.model("langchain4j");
    }

    @ParameterizedTest
    @CsvSource({"onnxruntime-gqa, 1x1:4x4x64", "onnxruntime-mha, 1x2/1:4x4x64", "onnxruntime-attention, 1x1:4x8x64:causal"})
    void whatItCannotDoIsRefused(String name, String shape) {
        Checks.refused(name, shape);
    }
}
