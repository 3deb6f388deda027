// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Machine;
import io.github.attn4j.bench.run.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    private static final String SMALL = "1x12:8x8x64";
    private static final String PROMPT = "1x1:512x512x64";

    @TempDir
    Path folder;

    private final Results results = new Results();

    @BeforeEach
    void numbers() {
        results.machine = new Machine();
        results.set = "quick";
        results.date = "2026-01-02T03:04:05Z";
        results.commit = "abc1234";
        cell("overhead", SMALL, "native:attn4j-f32", 2000).limit = 200;
        cell("overhead", SMALL, "attn4j-f32", 2100).boundary.addAll(List.of(150.0, 90.0, 80.0));
        cell("overhead", SMALL, "pytorch-f32", 4200);
        cell("overhead", SMALL, "onnxruntime-mha", 8400);
        cell("prefill", PROMPT, "attn4j-f32", 671_089);
        cell("prefill", PROMPT, "onnxruntime-mha", 1_342_178);
        cell("prefill", PROMPT, "pytorch-bf16", 600_000);
        for (int keys : new int[] {512, 32768}) {
            Cell cell = cell("growth", "1x4:512x" + keys + "x64", "attn4j-f32", keys * 1000.0);
            cell.scores = keys;
            cell.memory = keys;
        }
    }

    private Cell cell(String scenario, String shape, String contender, double nanoseconds) {
        Cell cell = new Cell();
        cell.scenario = scenario;
        cell.shape = shape;
        cell.contender = contender;
        cell.threads = 1;
        cell.nanoseconds.add(nanoseconds);
        cell.flops = 67_108_900;
        cell.about = contender + " 1.0";
        results.cells.add(cell);
        return cell;
    }

    @Test
    void aCellThatLosesStandsAtTheTop() {
        Analysis analysis = new Analysis(results);
        assertEquals(List.of("pytorch-bf16"),
            analysis.losses().stream().map(loss -> loss.contender().contender).toList());
        String report = new Markdown(analysis, List.of()).report();
        assertTrue(report.contains("- **prefill " + PROMPT + ", threads=1**: pytorch-bf16 is 1.12 x as fast"), report);
        assertTrue(report.indexOf("## Work to do") < report.indexOf("## Promises"));
    }

    @Test
    void whatDidNotRunIsWorkToDo() {
        Cell cell = cell("prefill", PROMPT, "java", 1);
        cell.nanoseconds.clear();
        cell.failure = "SIGILL";
        assertTrue(new Markdown(new Analysis(results), List.of()).report().contains("java did not run: SIGILL"));
    }

    @Test
    void promisesAreMeasured() {
        List<MustHold.Line> lines = new MustHold(new Analysis(results)).lines();
        assertEquals(List.of("90 ns", "0.000 B/op", "2.0 x", "4.0 x", "0.0 %", "64.0 x for 64 x the keys",
            "1 cells where one does"), lines.stream().map(MustHold.Line::measured).toList());
        assertEquals(List.of(true, true, false, true, true, true, false),
            lines.stream().map(MustHold.Line::holds).toList());
    }

    @Test
    void aCallThatAllocatesBreaksItsPromise() {
        new Analysis(results).named(new Analysis.Key("overhead", SMALL, 1), "attn4j-f32").orElseThrow()
            .boundaryBytes = 16;
        MustHold.Line line = new MustHold(new Analysis(results)).lines().get(1);
        assertEquals("16.000 B/op", line.measured());
        assertFalse(line.holds());
    }

    @Test
    void theBoundaryHasAColumnWhereItWasMeasured() {
        String report = new Markdown(new Analysis(results), List.of()).report();
        String overhead = report.substring(report.indexOf("### overhead"), report.indexOf("### prefill"));
        assertTrue(overhead.contains("| error | more than from C |"), overhead);
        assertTrue(overhead.contains(" | 90 ns |\n"), overhead);
        assertFalse(report.substring(report.indexOf("### prefill")).contains("more than from C"), report);
    }

    @Test
    void shareIsOfTheLimitOfTheSameThreads() {
        Analysis analysis = new Analysis(results);
        Cell ours = analysis.named(new Analysis.Key("prefill", PROMPT, 1), "attn4j-f32").orElseThrow();
        assertEquals(0.5, analysis.share(ours), 1e-3);
        ours.threads = 2;
        assertEquals(0, analysis.share(ours));
    }

    @Test
    void picturesAreDrawn() throws IOException {
        List<String> pictures = new Pictures(new Analysis(results), folder, "quick").write();
        assertEquals(List.of("quick-prefill.png", "quick-overhead.png", "quick-share.png", "quick-growth-time.png",
            "quick-growth-memory.png"), pictures);
        for (String picture : pictures) {
            assertEquals(1000, ImageIO.read(folder.resolve(picture).toFile()).getWidth());
        }
    }

    @Test
    void theReadmeChangesBetweenItsMarkersOnly() throws IOException {
        Path readme = folder.resolve("README.md");
        Files.writeString(readme, "before\n" + Readme.BEGIN + "\nold\n" + Readme.END + "\nafter\n");
        Readme.update(readme, new Analysis(results), folder.resolve("results/here"), "quick");
        String once = Files.readString(readme);
        assertTrue(once.startsWith("before\n" + Readme.BEGIN) && once.endsWith(Readme.END + "\nafter\n"), once);
        assertTrue(once.contains("| prefill | " + PROMPT + " | 1 | 671 us | 50 % | onnxruntime-mha | 1342 us | 2.00 x"),
            once);
        assertTrue(once.contains("(results/here/quick-prefill.png)"), once);
        assertFalse(once.contains("old"));
        Readme.update(readme, new Analysis(results), folder.resolve("results/here"), "quick");
        assertEquals(once, Files.readString(readme));
        Files.writeString(readme, "no markers");
        assertThrows(IOException.class, () -> Readme.update(readme, new Analysis(results), folder, "quick"));
    }
}
