// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class CloseCellsTest {
    private static Cell cell(String contender, double... nanoseconds) {
        Cell cell = new Results().cell(new Case("prefill", "1x1:2x2x64", List.of()), contender, 1);
        for (double time : nanoseconds) {
            cell.add(time, 0, 0);
        }
        return cell;
    }

    private static List<String> close(Cell... cells) {
        return CloseCells.of(List.of(cells)).stream().map(cell -> cell.contender).toList();
    }

    @Test
    void contendersWithin15PercentAndFasterOnesTakeMoreRounds() {
        assertEquals(List.of("attn4j-f32", "djl", "openblas"), close(cell("native:attn4j-f32", 99),
            cell("attn4j-f32", 100), cell("vector", 116), cell("djl", 114), cell("openblas", 50), cell("java")));
    }

    @Test
    void mediansAreCompared() {
        assertEquals(List.of(), close(cell("attn4j-f32", 90, 100, 110), cell("java", 90, 120, 130)));
    }

    @Test
    void aTypeIsComparedWithTheSameTypeIfThereIsOne() {
        assertEquals(List.of("attn4j-bf16", "pytorch-bf16"), close(cell("attn4j-f32", 100), cell("attn4j-bf16", 50),
            cell("pytorch-bf16", 55), cell("pytorch-f32", 200)));
        assertEquals(List.of("attn4j-f32", "pytorch-bf16"),
            close(cell("attn4j-f32", 100), cell("pytorch-bf16", 90)));
    }

    @Test
    void ofSeveralOfAttn4jOnlyThoseThatAreCloseTakePart() {
        assertEquals(List.of("attn4j-f32", "attn4j-cache-f32", "djl"), close(cell("attn4j-f32", 110),
            cell("attn4j-cache-f32", 100), cell("attn4j-unplanned", 150), cell("djl", 112)));
    }

    @Test
    void withoutAttn4jNothingIsClose() {
        assertEquals(List.of(), close(cell("native:attn4j-f32", 100), cell("djl", 100)));
    }
}
