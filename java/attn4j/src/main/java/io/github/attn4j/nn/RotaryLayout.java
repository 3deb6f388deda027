// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

/** Which numbers of a row a rotary embedding turns together, for d &lt; rotaryDim / 2. */
public enum RotaryLayout {
    /** d and d + rotaryDim / 2: GPT-NeoX, and Llama in Hugging Face's form. */
    HALVES,
    /** 2d and 2d + 1, interleaved: the paper, GPT-J, Meta's Llama. */
    PAIRS
}
