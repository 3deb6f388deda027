// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TurnsTest {
    @Test
    void aNativeTurnAsksForTheSameShape() {
        Case where = new Case("prefill", "2x8/2:5x9x64:causal", List.of());
        Cell cell = new Results().cell(where, "native:openblas", 3);
        assertEquals("b prefill --batch 2 --heads 8 --kv-heads 2 --queries 5 --keys 9 --head-dim 64 --causal --unfused "
            + "--threads 3 --seconds 0.5", String.join(" ", NativeTurn.command(cell, Path.of("b"), 0.5)));
        Cell isa = new Results().cell(new Case("module", "4x128x768/12", List.of()), "native:attn4j-f32@avx2", 1);
        assertEquals("b module --batch 4 --queries 128 --width 768 --heads 12 --isa avx2 --dtype f32 --threads 1 "
            + "--seconds 1.0",
            String.join(" ", NativeTurn.command(isa, Path.of("b"), 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"quick", "full"})
    void everyCaseOfASetIsKnownToItsScenario(String set) {
        Selection selection = Selection.named(set);
        for (Case where : selection.cases()) {
            if (!where.scenario().equals("isa")) {
                assertTrue(where.benchmark().getSimpleName().length() > 0 && where.contenders().size() > 1);
            }
            assertTrue(where.scenario().equals("model") || where.flops() > 0, where.shape());
        }
        assertEquals(1, selection.only(List.of("overhead")).cases().size());
    }

    @Test
    void anUnknownSetIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Selection.named("slow"));
    }

    @Test
    void resultsSurviveTheirFile(@TempDir Path folder) throws Exception {
        Results results = new Results();
        Case where = new Case("prefill", "1x1:2x2x64", List.of());
        Cell cell = results.cell(where, "java", 1);
        cell.nanoseconds.addAll(List.of(3.0, 1.0, 8.0, 2.0));
        cell.boundary.add(7.0);
        assertSame(cell, results.cell(where, "java", 1));
        results.machine = Machine.here();
        results.write(folder.resolve("a/b.json"));
        Cell read = Results.read(folder.resolve("a/b.json")).cells.get(0);
        assertEquals(2.5, read.median());
        assertEquals(7, read.medianBoundary().orElseThrow());
        assertEquals(4, read.scores);
        assertTrue(results.machine.slug().matches("[a-z0-9-]+"), results.machine.slug());
    }
}
