// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TurnsTest {
    @Test
    void aNativeTurnAsksForTheSameShape() throws Exception {
        Case where = new Case("prefill", "2x8/2:5x9x64:causal", List.of());
        Cell cell = new Results().cell(where, "native:openblas", 3);
        assertEquals("b prefill --batch 2 --heads 8 --kv-heads 2 --queries 5 --keys 9 --head-dim 64 --causal --unfused "
            + "--threads 3 --seconds 0.5", String.join(" ", NativeTurn.command(cell, Path.of("b"), 0.5)));
        Cell isa = new Results().cell(new Case("module", "4x128x768/12", List.of()), "native:attn4j-f32@avx2", 1);
        assertEquals("b module --batch 4 --queries 128 --width 768 --heads 12 --isa avx2 --dtype f32 --threads 1 "
            + "--seconds 1.0",
            String.join(" ", NativeTurn.command(isa, Path.of("b"), 1)));
        Cell model = new Results().cell(new Case("model", "3", List.of()), "native:attn4j-f32", 2);
        assertEquals("b model --lengths 20,69,83 --dtype f32 --threads 2 --seconds 1.0",
            String.join(" ", NativeTurn.command(model, Path.of("b"), 1)));
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

    @ParameterizedTest
    @ValueSource(strings = {"quick", "full"})
    void furtherThreadsAreMeasuredWhereTheyScale(String set) {
        Selection all = Selection.named(set);
        List<Case> scaling = all.scaling().cases();
        assertEquals(List.of("prefill", "prefill", "decode", "module", "model"),
            scaling.stream().map(Case::scenario).toList());
        for (Case where : scaling) {
            List<String> contenders = where.contenders();
            assertTrue(contenders.containsAll(List.of("native:attn4j-f32", "attn4j-f32")), where.shape());
            assertTrue(contenders.stream().anyMatch(name -> name.startsWith("onnxruntime")), where.shape());
            assertTrue(all.cases().stream().anyMatch(one -> one.scenario().equals(where.scenario())
                && one.shape().equals(where.shape()) && one.contenders().containsAll(contenders)), where.shape());
            assertFalse(contenders.stream().anyMatch(name -> name.endsWith("bf16") || name.equals("java")));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--set slow | run: a set is quick or full: set=slow",
        "--set quick --scenario model,overhed | run: a scenario is one of overhead, prefill, decode, module, model, "
            + "growth, isa: scenario=overhed",
        "--set quick --round 3 | run: Unknown options: '--round', '3'"
    })
    void wrongArgumentsAreRefusedInOneLine(String arguments, String message, @TempDir Path folder) throws Exception {
        assertEquals(2, execute(folder, arguments, message));
        assertEquals(0, Files.list(folder).count());
    }

    @Test
    void aFailureIsOneLine(@TempDir Path folder) throws Exception {
        Path missing = folder.resolve(Machine.here().slug()).resolve("quick-model.json");
        String message = "run: java.io.FileNotFoundException: " + missing + " (No such file or directory)";
        assertEquals(1, execute(folder, "--set quick --scenario model --add", message));
    }

    private static int execute(Path folder, String arguments, String message) {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true));
        try {
            String always = " --threads 1 --native b --commit c --log l --results " + folder;
            return Run.execute((arguments + always).split(" "));
        } finally {
            System.setErr(before);
            assertEquals(message, said.toString().strip());
        }
    }

    /** What the native program says is taken, and refused where its error exceeds that of its type. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aNativeTurnIsCompared(@TempDir Path folder) throws Exception {
        Case where = new Case("decode", "1x8/2:1x9x64", List.of());
        Cell cell = new Results().cell(where, "native:attn4j-bf16@avx2", 1);
        String numbers = "\"isa\": \"avx2\", \"median_ms\": 2.0, \"limit_gflops\": 50, \"limit_gbs\": 20, ";
        NativeTurn.take(cell, program(folder, "{" + numbers + "\"share\": 0.7, \"max_error\": 4e-2}"), 1);
        NativeTurn.take(cell, program(folder, "{" + numbers + "\"share\": 0.8, \"max_error\": 2e-2}"), 1);
        assertNull(cell.failure);
        assertEquals(List.of(2e6, 2e6), cell.nanoseconds);
        assertEquals(List.of(0.7, 0.8), cell.share);
        assertEquals(20, cell.readLimit);
        assertEquals(4e-2, cell.error);
        for (String error : List.of("6e-2", "\"nan\"", "nan")) {
            Cell wrong = new Results().cell(where, "native:attn4j-bf16@avx2", 1);
            NativeTurn.take(wrong, program(folder, "{" + numbers + "\"share\": 0.7, \"max_error\": " + error + "}"), 1);
            assertNotNull(wrong.failure, error);
            assertFalse(wrong.ran(), error);
        }
    }

    private static Path program(Path folder, String said) throws Exception {
        Path program = folder.resolve("program");
        Files.writeString(program, "#!/bin/sh\necho '" + said + "'\n");
        assertTrue(program.toFile().setExecutable(true));
        return program;
    }

    @Test
    void theWorstRoundIsKept() {
        Cell cell = new Results().cell(new Case("prefill", "1x1:2x2x64", List.of()), "java", 1);
        cell.add(1, 2e-6, -1);
        cell.add(3, 1e-6, -1);
        assertEquals(2e-6, cell.error);
        assertEquals(-1, cell.memory);
        cell.add(3, Double.NaN, 7);
        assertEquals(Double.NaN, cell.error);
        assertEquals(7, cell.memory);
    }

    @ParameterizedTest
    @CsvSource({"native:attn4j-bf16@amx, bf16", "native:attn4j-f32@avx512bf16, f32", "attn4j-f16, f16", "djl, f32"})
    void theTypeIsThatOfTheName(String contender, String type) {
        assertEquals(type, new Results().cell(new Case("prefill", "1x1:2x2x64", List.of()), contender, 1).type());
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
        assertEquals(7, Cell.median(read.boundary));
        assertEquals(4, read.scores);
        assertTrue(results.machine.slug().matches("[a-z0-9-]+"), results.machine.slug());
        results.machine.processor = "Some(R) CPU";
        results.machine.processors = 4;
        results.machine.flags = List.of("fma", "avx2", "avx512f");
        assertEquals("some-cpu-avx512f-x4", results.machine.slug());
    }
}
