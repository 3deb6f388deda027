// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/**
 * q, k and v of one shape, heads first: q [batch, heads, queries, headDim], k and v [batch, kvHeads, keys, headDim].
 */
public record AttentionOperands(AttentionShape shape, float[] q, float[] k, float[] v, int threads) {
    /** {@return unit-normal inputs, the same at every call} */
    public static AttentionOperands of(AttentionShape s, int threads) {
        long rows = (long) s.batch() * s.heads() * s.queries();
        long keyRows = (long) s.batch() * s.kvHeads() * s.keys();
        return new AttentionOperands(s, Numbers.normal(rows * s.headDim(), 1, 1),
                Numbers.normal(keyRows * s.headDim(), 1, 2), Numbers.normal(keyRows * s.headDim(), 1, 3), threads);
    }

    /**
     * {@return where row {@code row} of [batch, heads, queries] finds its keys: the first row of its head in k and v}
     */
    public int firstKey(int row) {
        int head = row / shape.queries();
        return (head / shape.heads() * shape.kvHeads() + head % shape.heads() / shape.group()) * shape.keys();
    }
}
