// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** attn4j in each scenario and type. */
class Attn4jContendersTest extends Contenders {
    Attn4jContendersTest() {
        prefill("attn4j-f32", "attn4j-bf16", "attn4j-f16");
        causal("attn4j-f32", "attn4j-bf16");
        decode("attn4j-f32", "attn4j-f16", "attn4j-cache-f32", "attn4j-cache-bf16");
        overhead("attn4j-f32", "attn4j-unplanned");
        module("attn4j-f32");
        model("attn4j-f32");
        refused("nobody", "1x1:1x1x64");
    }
}
