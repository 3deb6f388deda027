// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 16, 37, 64})
    void onlyTheCountedScoresBecomeExponentials(int count) {
        float[] scores = Numbers.normal(80, 9, count);
        float[] row = scores.clone();
        float sum = Rows.exponentials(row, count);
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < count; j++) {
            largest = Math.max(largest, scores[j]);
        }
        double expected = 0;
        for (int j = 0; j < count; j++) {
            double weight = Math.exp(scores[j] - largest);
            assertEquals(weight, row[j], 1e-6);
            expected += weight;
        }
        assertEquals(expected, sum, 1e-5);
        for (int j = count; j < scores.length; j++) {
            assertEquals(scores[j], row[j]);
        }
    }
}
