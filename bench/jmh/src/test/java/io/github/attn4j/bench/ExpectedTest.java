// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExpectedTest {
    /** Two keys whose scores differ by ln 3: weights 1/4 and 3/4. */
    @Test
    void aRowIsTheWeightedSumOfValues() {
        AttentionShape shape = AttentionShape.parse("1x1:1x2x1");
        float third = (float) Math.log(3);
        AttentionOperands in =
            new AttentionOperands(shape, new float[] {1}, new float[] {0, third}, new float[] {8, 16}, 1);
        assertArrayEquals(new double[] {14}, Expected.attentionRow(in, 0), 1e-6);
        assertEquals(0.5, Expected.attentionError(in, new float[] {14.5f}), 1e-6);
    }

    @Test
    void anErrorBeyondTheToleranceAndNanAreRefused() {
        Expected.require("x", 0.1, 0.1);
        assertThrows(IllegalStateException.class, () -> Expected.require("x", 0.11, 0.1));
        assertThrows(IllegalStateException.class, () -> Expected.require("x", Double.NaN, 0.1));
        assertThrows(IllegalArgumentException.class, () -> Expected.difference(new float[2], new float[3]));
    }

    @Test
    void causalScoresAreCounted() {
        AttentionShape shape = AttentionShape.parse("2x6/3:4x6x8:causal");
        assertEquals(2 * 6 * (3 + 4 + 5 + 6), shape.scores());
        assertEquals(4.0 * shape.scores() * 8, shape.flops());
        assertEquals(2, shape.group());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1x2", "1x4/3:1x1x1", "1x4:1x1x1:acausal", "1x0/0:1x1"})
    void badShapesAreRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> AttentionShape.parse(text));
    }

    @Test
    void swappedIsItsOwnInverse() {
        float[] x = Numbers.normal(2 * 3 * 5 * 7, 1, 1);
        float[] rows = Numbers.swapped(x, 2, 3, 5, 7);
        assertEquals(x[((1 * 3 + 2) * 5 + 4) * 7 + 6], rows[((1 * 5 + 4) * 3 + 2) * 7 + 6]);
        assertArrayEquals(x, Numbers.swapped(rows, 2, 5, 3, 7));
    }
}
