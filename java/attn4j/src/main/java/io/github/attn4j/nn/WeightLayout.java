// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

/** How the weight of a {@link Linear} lies in memory. */
public enum WeightLayout {
    /** [out, in], as PyTorch's nn.Linear has it. */
    OUT_IN,
    /** [in, out], the right-hand side of an ONNX MatMul. */
    IN_OUT
}
