// SPDX-License-Identifier: Apache-2.0

/** Fused multi-head attention on CPUs. */
module io.github.attn4j {
    requires static org.bytedeco.javacpp;

    exports io.github.attn4j;
    exports io.github.attn4j.attention;
    exports io.github.attn4j.io;
    exports io.github.attn4j.nn;
    exports io.github.attn4j.onnx;
    exports io.github.attn4j.tensor;
}
