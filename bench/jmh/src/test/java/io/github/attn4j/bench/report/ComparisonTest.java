// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.bench.report.Comparison.Verdict;
import io.github.attn4j.bench.run.Cell;
import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static Cell cell(Double... nanoseconds) {
        Cell cell = new Cell();
        cell.nanoseconds.addAll(List.of(nanoseconds));
        return cell;
    }

    private static Verdict verdict(Cell contender, Cell ours) {
        return Comparison.of(contender, ours).verdict();
    }

    @Test
    void roundsAreComparedAndNotMedians() {
        // A machine that slows down: the medians say that the contender is slower, each round that it is faster.
        Comparison comparison = Comparison.of(cell(90.0, 180.0, 270.0, 360.0), cell(100.0, 200.0, 300.0));
        assertEquals(new Spread(0.9, 0.9, 0.9), comparison.spread());
        assertEquals(Verdict.BEHIND, comparison.verdict());
        assertEquals(0, comparison.roundsAhead());
    }

    @Test
    void onlyCommonRoundsCount() {
        assertEquals(List.of(2.0, 3.0), Comparison.of(cell(2.0, 3.0), cell(1.0, 1.0, 9.0)).ratios());
        assertEquals(List.of(2.0), Comparison.of(cell(2.0, 3.0), cell(1.0)).ratios());
    }

    @Test
    void theVerdictNeedsAllRounds() {
        Cell ours = cell(100.0, 100.0, 100.0);
        assertEquals(Verdict.AHEAD, verdict(cell(101.0, 102.0, 150.0), ours));
        assertEquals(Verdict.LEVEL, verdict(cell(99.0, 102.0, 150.0), ours));
        assertEquals(Verdict.LEVEL, verdict(cell(100.0, 100.0, 100.0), ours));
        assertEquals(Verdict.BEHIND, verdict(cell(99.0, 98.0, 150.0), ours));
        assertEquals(Verdict.BEHIND, verdict(cell(99.0, 98.0, 50.0), ours));
        assertEquals(2, Comparison.of(cell(99.0, 102.0, 150.0), ours).roundsAhead());
    }
}
