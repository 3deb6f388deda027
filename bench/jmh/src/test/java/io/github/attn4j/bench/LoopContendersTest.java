// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** OpenBLAS with a softmax in Java, plain loops, and loops of the Vector API. */
class LoopContendersTest extends Contenders {
    LoopContendersTest() {
        prefill("openblas", "java", "vector");
        causal("openblas", "java", "vector");
        decode("openblas", "java", "vector");
        refused("vector", "1x1:4x4x7");
    }
}
