// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class AxisTest {
    @Test
    void aLinearAxisBeginsAtNothing() {
        assertEquals(List.of(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), Axis.linear(1.17).ticks());
        assertEquals(List.of(0.0, 50.0, 100.0, 150.0, 200.0, 250.0), Axis.linear(283).ticks());
        assertEquals(0.5, Axis.linear(300).place(150));
    }

    @Test
    void aLogarithmicAxisEndsAtLabels() {
        Axis axis = Axis.logarithmic(0.9, 120);
        assertEquals(List.of(0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0), axis.ticks());
        assertEquals(0, axis.place(0.5));
        assertEquals(1, axis.place(200));
        assertEquals(0.5, axis.place(10), 1e-12);
        assertEquals(List.of(0.5, 1.0), Axis.logarithmic(0.6, 0.9).ticks());
        assertEquals(List.of(2.0, 5.0, 10.0), Axis.logarithmic(4, 7).ticks());
    }

    @Test
    void anAxisOfItsOwnPointsIsLabelledThere() {
        for (boolean logarithmic : new boolean[] {false, true}) {
            Axis axis = Axis.at(List.of(512.0, 4096.0, 32768.0), logarithmic);
            assertEquals(List.of(512.0, 4096.0, 32768.0), axis.ticks());
            assertEquals(1, axis.place(512) + axis.place(32768), 1e-12);
        }
    }

    @Test
    void labelsHaveNoMoreDigitsThanNeeded() {
        assertEquals(List.of("0", "0.2", "1", "32768", "200000"),
            List.of(0.0, 0.2, 1.0, 32768.0, 2e5).stream().map(Axis::label).toList());
    }
}
