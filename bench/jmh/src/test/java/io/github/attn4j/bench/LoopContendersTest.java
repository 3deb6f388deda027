// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** OpenBLAS with a softmax in Java, plain loops, and loops of the Vector API. */
class LoopContendersTest {
    @ParameterizedTest
    @ValueSource(strings = {"openblas", "java", "vector"})
    void prefill(String name) throws Exception {
        Checks.prefill(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"openblas", "java", "vector"})
    void causal(String name) throws Exception {
        Checks.causal(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"openblas", "java", "vector"})
    void decode(String name) throws Exception {
        Checks.decode(name);
    }

    @ParameterizedTest
    @CsvSource({"vector, 1x1:4x4x7"})
    void whatItCannotDoIsRefused(String name, String shape) {
        Checks.refused(name, shape);
    }
}
