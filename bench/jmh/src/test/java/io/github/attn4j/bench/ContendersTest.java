// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.bench.decode.Decode;
import io.github.attn4j.bench.model.Model;
import io.github.attn4j.bench.module.Module;
import io.github.attn4j.bench.module.ModuleInputs;
import io.github.attn4j.bench.module.ModuleShape;
import io.github.attn4j.bench.overhead.Overhead;
import io.github.attn4j.bench.prefill.Prefill;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every contender computes what its scenario says, and is told apart from one that does not. */
class ContendersTest {
    private static final String EVEN = "2x3:37x37x64";
    private static final String CAUSAL = "2x6/2:37x37x64:causal";

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-bf16", "attn4j-f16", "pytorch-f32", "pytorch-bf16",
        "onnxruntime-attention", "onnxruntime-mha", "openblas", "java", "vector"})
    void prefill(String name) throws Exception {
        AttentionInputs in = AttentionInputs.of(AttentionShape.parse(EVEN), 2);
        check(Prefill.contender(name, in), in);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-bf16", "pytorch-f32", "onnxruntime-attention", "onnxruntime-gqa",
        "openblas", "java", "vector"})
    void causalPrefillOfGroupedQueries(String name) throws Exception {
        AttentionInputs in = AttentionInputs.of(AttentionShape.parse(CAUSAL), 1);
        check(Prefill.contender(name, in), in);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-f16", "attn4j-cache-f32", "attn4j-cache-bf16", "pytorch-f32",
        "onnxruntime-attention", "onnxruntime-gqa", "openblas", "java", "vector"})
    void decode(String name) throws Exception {
        AttentionInputs in = AttentionInputs.of(AttentionShape.parse("2x6/2:1x301x64"), 1);
        check(Decode.contender(name, in), in);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-unplanned", "onnxruntime-mha"})
    void overhead(String name) throws Exception {
        AttentionInputs in = AttentionInputs.of(AttentionShape.parse("1x12:8x8x64"), 1);
        check(Overhead.contender(name, in), in);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "pytorch-nn-f32", "pytorch-sdpa-f32", "onnxruntime-attention",
        "onnxruntime-mha"})
    void module(String name) throws Exception {
        ModuleInputs in = ModuleInputs.of(ModuleShape.parse("2x19x96/3"), 1);
        try (Contender contender = Module.contender(name, in)) {
            contender.run();
            Expected.require(name, in.error(contender.output()), contender.tolerance());
            float[] wrong = contender.output();
            wrong[5] += 0.01f;
            assertTrue(in.error(wrong) > contender.tolerance());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "langchain4j"})
    void model(String name) throws Exception {
        List<String> texts = List.of("Resumption of the session", "Please rise, then, for this minute's silence.");
        try (Contender expected = Model.contender("onnxruntime", texts, 1);
                Contender contender = Model.contender(name, texts, 1)) {
            expected.run();
            contender.run();
            Expected.require(name, Expected.difference(expected.output(), contender.output()), contender.tolerance());
        }
    }

    @ParameterizedTest
    @CsvSource({"nobody, 1x1:1x1x64", "onnxruntime-gqa, 1x1:4x4x64", "onnxruntime-mha, 1x2/1:4x4x64",
        "pytorch-f32, 1x1:4x8x64:causal", "vector, 1x1:4x4x7"})
    void whatAContenderCannotDoIsRefused(String name, String shape) {
        AttentionInputs in = AttentionInputs.of(AttentionShape.parse(shape), 1);
        assertThrows(IllegalArgumentException.class, () -> Prefill.contender(name, in));
    }

    private static void check(Contender contender, AttentionInputs in) throws Exception {
        try (contender) {
            contender.run();
            contender.run();
            String about = contender.describe();
            Expected.require(about, Expected.attentionError(in, contender.output()), contender.tolerance());
        }
    }
}
