// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PyTorch for the JVM. */
class TorchContendersTest {
    @ParameterizedTest
    @ValueSource(strings = {"pytorch-f32", "pytorch-bf16"})
    void prefill(String name) throws Exception {
        Checks.prefill(name);
    }

    @Test
    void causal() throws Exception {
        Checks.causal("pytorch-f32");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch-f32", "pytorch-bf16"})
    void decode(String name) throws Exception {
        Checks.decode(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch-nn-f32", "pytorch-sdpa-f32", "pytorch-sdpa-bf16"})
    void module(String name) throws Exception {
        Checks.module(name);
    }

    @ParameterizedTest
    @CsvSource({"pytorch-f32, 1x1:4x8x64:causal"})
    void whatItCannotDoIsRefused(String name, String shape) {
        Checks.refused(name, shape);
    }
}
