// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

/** What a gate has numbers for. */
public enum Gating {
    /** Each number of each head's output: a gate as wide as all heads. */
    ELEMENTWISE,
    /** Each head: one number a head. */
    HEADWISE;

    long numbers(long heads, long width) {
        return this == HEADWISE ? heads : width;
    }
}
