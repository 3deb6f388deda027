// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

/**
 * Tokens that stand side by side, such as the pieces of one word.
 *
 * @param from the first, counted from 0
 * @param to one after the last
 */
public record TokenSpan(int from, int to) {
    /**
     * Checks the bounds.
     *
     * @param from the first
     * @param to one after the last
     * @throws IllegalArgumentException unless {@code 0 <= from < to}
     */
    public TokenSpan {
        if (from < 0 || to <= from) {
            throw new IllegalArgumentException("a span needs 0 <= from < to: from=" + from + " to=" + to);
        }
    }

    /** {@return how many tokens there are} */
    public int length() {
        return to - from;
    }
}
