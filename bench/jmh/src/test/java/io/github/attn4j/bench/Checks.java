// SPDX-License-Identifier: Apache-2.0
// Each library has a test class, and each test class a process, as contenders have when they are timed: not all of their
// native libraries bear each other.
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

/** A contender computes what its scenario says. */
final class Checks {
    private Checks() {}

    static void prefill(String name) throws Exception {
        AttentionInputs in = inputs("2x3:37x37x64", 2);
        check(Prefill.contender(name, in), in);
    }

    static void causal(String name) throws Exception {
        AttentionInputs in = inputs("2x6/2:37x37x64:causal", 1);
        check(Prefill.contender(name, in), in);
    }

    static void decode(String name) throws Exception {
        AttentionInputs in = inputs("2x6/2:1x301x64", 1);
        check(Decode.contender(name, in), in);
    }

    static void overhead(String name) throws Exception {
        AttentionInputs in = inputs("1x12:8x8x64", 1);
        check(Overhead.contender(name, in), in);
    }

    static void module(String name) throws Exception {
        ModuleInputs in = ModuleInputs.of(ModuleShape.parse("2x19x96/3"), 1);
        try (Contender contender = Module.contender(name, in)) {
            contender.run();
            contender.run();
            float[] out = contender.output();
            Expected.require(contender.describe(), in.error(out), contender.tolerance());
            out[5] += 0.1f;
            assertTrue(in.error(out) > contender.tolerance());
        }
    }

    static void model(String name) throws Exception {
        List<String> texts = List.of("Resumption of the session", "Please rise, then, for this minute's silence.");
        try (Contender expected = Model.contender("onnxruntime", texts, 1);
                Contender contender = Model.contender(name, texts, 1)) {
            expected.run();
            contender.run();
            Expected.require(contender.describe(), Expected.difference(expected.output(), contender.output()),
                    contender.tolerance());
        }
    }

    static void refused(String name, String shape) {
        AttentionInputs in = inputs(shape, 1);
        assertThrows(IllegalArgumentException.class, () -> Prefill.contender(name, in));
    }

    private static AttentionInputs inputs(String shape, int threads) {
        return AttentionInputs.of(AttentionShape.parse(shape), threads);
    }

    private static void check(Contender contender, AttentionInputs in) throws Exception {
        try (contender) {
            contender.run();
            contender.run();
            float[] out = contender.output();
            Expected.require(contender.describe(), Expected.attentionError(in, out), contender.tolerance());
            out[5] += 0.1f;
            assertTrue(Expected.attentionError(in, out) > contender.tolerance());
        }
    }
}
