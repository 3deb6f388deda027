// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.tensor.Tensor;

/** What attention over segments must equal: the definition over concatenated keys, the first at position `begin`. */
final class WholeKeys {
    private final Reference expected;
    private final long headDim;

    private WholeKeys(Reference expected, long headDim) {
        this.expected = expected;
        this.headDim = headDim;
    }

    /** Of inputs, and keys and values [batch, kvHeads, keys, dim]. */
    static WholeKeys of(Attention attention, AttentionInputs in, Tensor k, Tensor v, long begin) {
        Definition definition = new Definition();
        definition.scale = Float.isNaN(attention.scale) ? 1 / Math.sqrt(k.size(3)) : attention.scale;
        definition.causal = attention.causal;
        definition.windowLeft = attention.windowLeft;
        definition.windowRight = attention.windowRight;
        definition.softcap = attention.softcap;
        definition.slopes = in.slopes == null ? null : in.slopes.toFloatArray();
        definition.sinks = in.sinks == null ? null : in.sinks.toFloatArray();
        definition.bias = in.bias == null ? null : (b, h, i, j) -> element(in.bias, b, h, i, j).toFloatArray()[0];
        definition.mask = in.mask == null ? null : (b, h, i, j) -> element(in.mask, b, h, i, j).toBooleanArray()[0];
        long[] lengths = in.keyLengths == null ? null : in.keyLengths.toLongArray();
        long[] offsets = new long[(int) in.q.size(0)];
        for (int b = 0; b < offsets.length; b++) {
            long length = lengths == null ? k.size(2) : lengths[b];
            long position = in.offsets != null ? in.offsets.toLongArray()[b]
                : attention.alignment == Alignment.TOP_LEFT ? 0 : begin + length - in.q.size(2);
            offsets[b] = position - begin;
        }
        return new WholeKeys(Reference.of(definition, in.q, k, v, offsets, lengths), k.size(3));
    }

    /** Fails unless out, and lse if it is not null, are within the bound of float32. */
    void assertEqual(Tensor out, Tensor lse) {
        assertEqual(out, lse, expected.tolerance(headDim));
    }

    /** Fails unless out, and lse if it is not null, are this close. */
    void assertEqual(Tensor out, Tensor lse, double tolerance) {
        double error = expected.maxError(out);
        assertTrue(error <= tolerance, () -> "error=" + error + " tolerance=" + tolerance);
        float[] logs = lse == null ? new float[0] : lse.toFloatArray();
        for (int row = 0; row < logs.length; row++) {
            int heads = (int) lse.size(1);
            int queries = (int) lse.size(2);
            double log = expected.lse[row / queries / heads][row / queries % heads][row % queries];
            int at = row;
            assertTrue(Definition.close(log, logs[row], tolerance),
                () -> "lse[" + at + "]=" + logs[at] + " expected=" + log + " tolerance=" + tolerance);
        }
    }

    private static Tensor element(Tensor tensor, long... index) {
        Tensor element = tensor;
        for (int d = 4 - tensor.rank(); d < 4; d++) {
            element = element.select(0, element.size(0) == 1 ? 0 : index[d]);
        }
        return element;
    }
}
