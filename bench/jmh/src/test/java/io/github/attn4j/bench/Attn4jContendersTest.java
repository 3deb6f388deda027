// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** attn4j in each scenario and type. */
class Attn4jContendersTest {
    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-bf16", "attn4j-f16"})
    void prefill(String name) throws Exception {
        Checks.prefill(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-bf16"})
    void causal(String name) throws Exception {
        Checks.causal(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-f16", "attn4j-cache-f32", "attn4j-cache-bf16"})
    void decode(String name) throws Exception {
        Checks.decode(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attn4j-f32", "attn4j-unplanned"})
    void overhead(String name) throws Exception {
        Checks.overhead(name);
    }

    @Test
    void module() throws Exception {
        Checks.module("attn4j-f32");
    }

    @Test
    void model() throws Exception {
        Checks.model("attn4j-f32");
    }

    @ParameterizedTest
    @CsvSource({"nobody, 1x1:1x1x64"})
    void whatItCannotDoIsRefused(String name, String shape) {
        Checks.refused(name, shape);
    }
}
