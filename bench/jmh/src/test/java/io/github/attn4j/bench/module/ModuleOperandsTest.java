// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ModuleOperandsTest {
    /** Two rows whose scores differ by ln 3 for each query: weights 1/4 and 3/4. */
    @Test
    void aRowIsTheProjectedMeanOfProjectedValues() {
        float third = (float) Math.log(3);
        ModuleOperands in = new ModuleOperands(ModuleShape.parse("1x2x1/1"), new float[] {1, 2},
            new float[] {0, third, 2}, new float[] {1, 5, 3}, new float[] {10}, new float[] {7}, 1);
        float row = 10 * (2 * 1.75f + 3) + 7;
        assertEquals(0, in.error(new float[] {row, row}), 1e-5);
        assertEquals(0.5, in.error(new float[] {row, row + 0.5f}), 1e-5);
    }

    @Test
    void rowsOfAllSequencesAreChecked() {
        ModuleOperands in = ModuleOperands.of(ModuleShape.parse("3x5x8/2"), 1);
        int numbers = 3 * 5 * 8;
        for (int row : new int[] {0, 7, 14}) {
            float[] out = new float[numbers];
            out[row * 8] = 1e6f;
            assertTrue(in.error(out) > 1e5, "row=" + row);
        }
    }
}
