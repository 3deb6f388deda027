// SPDX-License-Identifier: Apache-2.0
// Each library has a test class, and each test class a process, as contenders have when they are timed: not all of
// their native libraries bear each other.
package io.github.attn4j.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.bench.decode.Decode;
import io.github.attn4j.bench.model.Model;
import io.github.attn4j.bench.module.AttentionModule;
import io.github.attn4j.bench.module.ModuleOperands;
import io.github.attn4j.bench.module.ModuleShape;
import io.github.attn4j.bench.overhead.Overhead;
import io.github.attn4j.bench.prefill.Prefill;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** The contenders of a library, each to compute what its scenario says; their names are all that a test class gives. */
abstract class Contenders {
    private final List<DynamicTest> tests = new ArrayList<>();

    /** Sets a contender up. */
    private interface Attending {
        Contender contender(String name, AttentionOperands in) throws Exception;
    }

    @TestFactory
    final List<DynamicTest> contenders() {
        return tests;
    }

    final void prefill(String... names) {
        attend("prefill", Prefill::contender, inputs("2x3:37x37x64", 2), names);
    }

    final void causal(String... names) {
        attend("causal", Prefill::contender, inputs("2x6/2:37x37x64:causal", 1), names);
    }

    final void decode(String... names) {
        attend("decode", Decode::contender, inputs("2x6/2:1x301x64", 1), names);
    }

    final void overhead(String... names) {
        attend("overhead", Overhead::contender, inputs("1x12:8x8x64", 1), names);
    }

    final void module(String... names) {
        ModuleOperands in = ModuleOperands.of(ModuleShape.parse("2x19x96/3"), 1);
        for (String name : names) {
            add("module " + name, () -> check(AttentionModule.contender(name, in), in::error));
        }
    }

    final void model(String... names) {
        for (String name : names) {
            add("model " + name, () -> checkModel(name));
        }
    }

    /** What it cannot do. */
    final void refused(String name, String... shapes) {
        for (String shape : shapes) {
            add("refused " + name + " " + shape,
                () -> assertThrows(IllegalArgumentException.class, () -> Prefill.contender(name, inputs(shape, 1))));
        }
    }

    private void attend(String scenario, Attending attending, AttentionOperands in, String... names) {
        for (String name : names) {
            add(scenario + " " + name,
                () -> check(attending.contender(name, in), out -> Expected.attentionError(in, out)));
        }
    }

    private void add(String name, Executable test) {
        tests.add(DynamicTest.dynamicTest(name, () -> assertDoesNotThrow(test, name)));
    }

    private static AttentionOperands inputs(String shape, int threads) {
        return AttentionOperands.of(AttentionShape.parse(shape), threads);
    }

    /** An output that is right is found right, and one that is wrong is not. */
    private static void check(Contender contender, Facts.Error error) throws Exception {
        try (contender) {
            contender.run();
            contender.run();
            float[] out = contender.output();
            Expected.require(contender.describe(), error.of(out), contender.tolerance());
            out[5] += 0.1f;
            assertTrue(error.of(out) > contender.tolerance());
        }
    }

    private static void checkModel(String name) throws Exception {
        List<String> texts = List.of("Resumption of the session", "Please rise, then, for this minute's silence.");
        try (Contender expected = Model.contender("onnxruntime", texts, 1);
                Contender contender = Model.contender(name, texts, 1)) {
            expected.run();
            contender.run();
            Expected.require(contender.describe(), Expected.difference(expected.output(), contender.output()),
                    contender.tolerance());
        }
    }
}
