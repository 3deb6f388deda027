// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

/** What an attention writes of its scores [batch, heads, queries, keys], besides the result. */
public enum ScoreStage {
    /** {@code scale * q k^T}, of all keys. */
    SCALED,
    /** After the softcap, of all keys. */
    CAPPED,
    /** With slopes and bias added; -infinity where a key is hidden. */
    HIDDEN,
    /** The weights, after softmax and dropout; 0 where a key is hidden. */
    WEIGHTS
}
