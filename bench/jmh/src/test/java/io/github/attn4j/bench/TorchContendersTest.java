// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** PyTorch for the JVM. */
class TorchContendersTest extends Contenders {
    TorchContendersTest() {
        prefill("pytorch-f32", "pytorch-bf16");
        causal("pytorch-f32");
        decode("pytorch-f32", "pytorch-bf16");
        module("pytorch-nn-f32", "pytorch-sdpa-f32", "pytorch-sdpa-bf16");
        refused("pytorch-f32", "1x1:4x8x64:causal");
    }
}
