// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.bench.report.Comparison.Verdict;
import io.github.attn4j.bench.report.MustHold.Answer;
import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Machine;
import io.github.attn4j.bench.run.Results;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
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
        results.machine.flags = List.of("avx2");
        cell("overhead", SMALL, "native:attn4j-f32", 2000.0).limit = 200;
        cell("overhead", SMALL, "attn4j-f32", 2100.0).boundary.addAll(List.of(150.0, 90.0, 80.0));
        cell("overhead", SMALL, "pytorch-f32", 4200.0);
        cell("overhead", SMALL, "onnxruntime-mha", 8400.0);
        cell("prefill", PROMPT, "attn4j-f32", 671_089.0, 600_000.0, 700_000.0);
        cell("prefill", PROMPT, "onnxruntime-mha", 1_342_178.0, 1_260_000.0, 1_330_000.0);
        cell("prefill", PROMPT, "pytorch-bf16", 600_000.0, 660_000.0, 500_000.0);
        cell("prefill", PROMPT, "native:openblas", 660_000.0, 660_000.0, 840_000.0);
        for (int keys : new int[] {512, 32768}) {
            Cell cell = cell("growth", "1x4:512x" + keys + "x64", "attn4j-f32", keys * 1000.0);
            cell.scores = keys;
            cell.memory = keys;
        }
    }

    private Cell cell(String scenario, String shape, String contender, Double... nanoseconds) {
        Cell cell = new Cell();
        cell.scenario = scenario;
        cell.shape = shape;
        cell.contender = contender;
        cell.threads = 1;
        cell.nanoseconds.addAll(List.of(nanoseconds));
        cell.flops = 67_108_900;
        cell.about = contender + " 1.0";
        results.cells.add(cell);
        return cell;
    }

    @Test
    void aCellThatLosesStandsAtTheTop() {
        Analysis analysis = new Analysis(results);
        assertEquals(List.of("pytorch-bf16"), analysis.comparisons(Verdict.BEHIND)
            .stream()
            .map(one -> one.contender().contender)
            .toList());
        String report = new Markdown(analysis, List.of()).report();
        assertEquals("- **prefill " + PROMPT + ", threads=1**: pytorch-bf16 takes 0.894 (0.714-1.10) of the time of "
            + "attn4j-f32, which is ahead in 1 of 3 rounds (0.600 (0.500-0.660) against 0.671 (0.600-0.700) ms)\n",
            section(report, "## Work to do\n\n", "\n## "));
        assertTrue(report.indexOf("## Work to do") < report.indexOf("## Promises"));
    }

    @Test
    void whatIsKnownOfACellThatLosesStandsBesideIt() {
        cell("module", "4x128x768/12", "attn4j-f32", 26_000.0, 26_100.0);
        cell("module", "4x128x768/12", "onnxruntime-packed", 25_000.0, 25_100.0);
        cell("module", "4x128x768/12", "djl", 24_000.0, 24_100.0);
        String report = new Markdown(new Analysis(results), List.of()).report();
        List<String> work = section(report, "## Work to do\n\n", "\n## ").lines().toList();
        assertTrue(work.stream().anyMatch(line -> line.contains("onnxruntime-packed takes 0.96") && line.endsWith(
            " us). Nine tenths of the work are the products of four linear layers, which both do near the limit "
                + "(share); ONNX Runtime packs its constant weights once, attn4j reads them as they lie.")),
            report);
        assertTrue(work.stream().anyMatch(line -> line.contains("djl takes 0.92") && line.endsWith(" us)")), report);
    }

    @Test
    void aLevelCellHasALineOfItsOwn() {
        String report = new Markdown(new Analysis(results), List.of()).report();
        String level = section(report, "## Level: the rounds contradict each other\n\n", "\n## ");
        assertEquals(1, level.lines().count(), level);
        assertTrue(level.contains("native:openblas takes 1.10 (0.983-1.20) of the time"), level);
        assertTrue(level.contains("ahead in 2 of 3 rounds"), level);
        results.cells.removeIf(cell -> cell.contender.contains("openblas"));
        assertFalse(new Markdown(new Analysis(results), List.of()).report().contains("## Level"));
    }

    @Test
    void roundsThatContradictEachOtherLeaveThePromiseOpen() {
        results.cells.removeIf(cell -> cell.contender.equals("pytorch-bf16"));
        assertEquals(Answer.UNDECIDED, last(new MustHold(new Analysis(results)).lines()).holds());
        results.cells.removeIf(cell -> cell.contender.contains("openblas"));
        assertEquals(Answer.YES, last(new MustHold(new Analysis(results)).lines()).holds());
    }

    private static MustHold.Line last(List<MustHold.Line> lines) {
        return lines.get(lines.size() - 1);
    }

    private static String section(String report, String begin, String end) {
        int from = report.indexOf(begin) + begin.length();
        return report.substring(from, report.indexOf(end, from));
    }

    @Test
    void whatDidNotRunIsWorkToDo() {
        Cell cell = cell("prefill", PROMPT, "java", 1.0);
        cell.nanoseconds.clear();
        cell.failure = "SIGILL";
        assertTrue(new Markdown(new Analysis(results), List.of()).report().contains("java did not run: SIGILL"));
    }

    @Test
    void promisesAreMeasured() {
        List<MustHold.Line> lines = new MustHold(new Analysis(results)).lines();
        assertEquals(List.of("90.0 (80.0-150) ns", "0 B/op", "2.00 x", "4.00 x", "0 %", "64.0 x for 64.0 x the keys",
            "of the cells of contenders, attn4j is ahead of 3, level with 1, behind 1"),
            lines.stream().map(MustHold.Line::measured).toList());
        assertEquals(List.of(Answer.YES, Answer.YES, Answer.NO, Answer.YES, Answer.YES, Answer.YES, Answer.NO),
            lines.stream().map(MustHold.Line::holds).toList());
    }

    @Test
    void aCallThatAllocatesBreaksItsPromise() {
        new Analysis(results).named(new Analysis.Key("overhead", SMALL, 1), "attn4j-f32").orElseThrow()
            .boundaryBytes = 16;
        MustHold.Line line = new MustHold(new Analysis(results)).lines().get(1);
        assertEquals("16.0 B/op", line.measured());
        assertEquals(Answer.NO, line.holds());
    }

    @Test
    void theBoundaryHasColumnsWhereItWasMeasured() {
        String report = new Markdown(new Analysis(results), List.of()).report();
        String overhead = section(report, "### overhead", "### prefill");
        assertTrue(overhead.contains("| error | from C, us | of C's time | more than from C, ns |\n"), overhead);
        assertTrue(overhead.contains(" | 2.00 | 1.05 | 90.0 (80.0-150) |\n"), overhead);
        String others = report.substring(report.indexOf("### prefill"));
        assertFalse(others.contains("from C") || others.contains("C's"), others);
    }

    @Test
    void theSameFromCIsComparedRoundByRound() {
        cell("prefill", PROMPT, "native:attn4j-f32", 600_000.0, 500_000.0);
        cell("prefill", PROMPT, "openblas", 660_000.0);
        String report = new Markdown(new Analysis(results), List.of()).report();
        String prefill = section(report, "### prefill", "### growth");
        assertTrue(prefill.contains("| error | from C, ms | of C's time |\n"), prefill);
        assertEquals(1, prefill.lines().filter(line -> line.endsWith(" | 0.550 (0.500-0.600) | 1.16 (1.12-1.20) |"))
            .count(), prefill);
        assertEquals(5, prefill.lines().filter(line -> line.endsWith(" |  |  |")).count(), prefill);
    }

    @Test
    void shareIsOfTheLimitOfTheSameThreads() {
        Analysis analysis = new Analysis(results);
        Cell ours = analysis.named(new Analysis.Key("prefill", PROMPT, 1), "attn4j-f32").orElseThrow();
        assertEquals(0.5, analysis.share(ours).orElseThrow().median(), 1e-3);
        ours.threads = 2;
        assertTrue(analysis.share(ours).isEmpty());
    }

    @Test
    void shareIsOfTheLimitOfTheSameType() {
        Analysis analysis = new Analysis(results);
        Cell ours = cell("prefill", PROMPT, "attn4j-bf16", 671_089.0);
        assertTrue(analysis.share(ours).isEmpty());
        cell("prefill", PROMPT, "native:attn4j-bf16", 671_089.0).limit = 400;
        assertEquals(0.25, analysis.share(ours).orElseThrow().median(), 1e-3);
        assertEquals(0.5, analysis.share(analysis.named(new Analysis.Key("prefill", PROMPT, 1), "attn4j-f32")
            .orElseThrow()).orElseThrow().median(), 1e-3);
    }

    @Test
    void aNativeCellHasTheShareThatItMeasured() {
        Cell cell = cell("prefill", PROMPT, "native:attn4j-f32", 671_089.0);
        cell.limit = 400;
        cell.share.addAll(List.of(0.9, 0.7, 0.8));
        assertEquals(new Spread(0.8, 0.7, 0.9), new Analysis(results).share(cell).orElseThrow());
    }

    @Test
    void decodeHasTheShareOfReadingWhereThatTakesLonger() {
        String shape = "1x1:1x1000x100";
        Cell ours = cell("decode", shape, "attn4j-f32", 100_000.0);
        ours.flops = 400_000;
        assertTrue(new Analysis(results).share(ours).isEmpty());
        cell("decode", shape, "native:attn4j-f32", 100_000.0).readLimit = 16;
        assertEquals(0.5, new Analysis(results).share(ours).orElseThrow().median(), 1e-9);
        ours.flops = 200 * 80_000;
        assertEquals(0.8, new Analysis(results).share(ours).orElseThrow().median(), 1e-9);
    }

    @Test
    void anInstructionSetHasTheShareOfItsOwnLimit() {
        Cell cell = cell("isa", PROMPT, "native:attn4j-f32@scalar", 671_089.0);
        cell.limit = 100_000;
        assertEquals(1e-3, new Analysis(results).share(cell).orElseThrow().median(), 1e-6);
        String report = new Markdown(new Analysis(results), List.of()).report();
        assertTrue(section(report, "### isa", "## Contenders").contains("| share of its ISA's limit |"), report);
        assertEquals(200, new Analysis(results).limit(1, "f32").orElseThrow().median());
    }

    @Test
    void aTableHasOneUnitAndNoEmptyColumn() {
        String report = new Markdown(new Analysis(results), List.of()).report();
        String table = section(report, "### prefill", "### growth");
        assertTrue(table.contains("| contender | rounds | time, ms | of attn4j's time | GFLOP/s | share |"), table);
        assertTrue(table.contains("| onnxruntime-mha | 3 | 1.33 (1.26-1.34) | 2.00 (1.90-2.10) |"), table);
        assertFalse(table.contains("GB/s"), table);
        String overhead = section(report, "### overhead", "### prefill");
        assertTrue(overhead.contains("| time, us |"), overhead);
        assertTrue(overhead.contains("| pytorch-f32 | 1 | 4.20 | 2.00 |"), overhead);
    }

    @Test
    void theReportSaysWhatPyTorchDoesWithout() {
        assertFalse(new Markdown(new Analysis(results), List.of()).report().contains("goes without AMX"));
        results.machine.flags = List.of("avx2", "amx_tile");
        assertTrue(new Markdown(new Analysis(results), List.of()).report().contains("goes without AMX"));
    }

    @Test
    void contendersAreDescribedForEachScenario() {
        cell("module", "1x2x64/1", "onnxruntime-mha", 1.0).about = "of com.microsoft";
        String report = new Markdown(new Analysis(results), List.of()).report();
        assertTrue(report.contains("- module, onnxruntime-mha, threads=1: of com.microsoft\n"), report);
        assertTrue(report.contains("- prefill, onnxruntime-mha, threads=1: onnxruntime-mha 1.0\n"), report);
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
    void threadsScaleInAPictureOfTheirOwn() throws IOException {
        assertEquals(List.of(), new Pictures(new Analysis(results), folder, "quick").scaling("prefill"));
        for (String contender : List.of("attn4j-f32", "onnxruntime-mha")) {
            cell("prefill", PROMPT, contender, 350_000.0, 330_000.0, 400_000.0).threads = 2;
        }
        cell("prefill", "1x1:2x2x64", "attn4j-f32", 1.0).threads = 2;
        Pictures pictures = new Pictures(new Analysis(results), folder, "quick");
        List<LineChart.Line> lines = pictures.scaling("prefill");
        assertEquals(List.of("attn4j-f32", "onnxruntime-mha"), lines.stream().map(LineChart.Line::name).toList());
        assertEquals(List.of(1.0, 2.0), List.copyOf(lines.get(0).points().keySet()));
        assertEquals(1e9 / 671_089, lines.get(0).points().get(1.0).median(), 0.1);
        assertEquals(1e9 / 330_000, lines.get(0).points().get(2.0).most(), 0.1);
        assertTrue(pictures.write().contains("quick-threads-prefill.png"));
        assertTrue(hasColour("quick-threads-prefill.png", "attn4j-f32"));
        assertTrue(hasColour("quick-threads-prefill.png", "onnxruntime-mha"));
        assertFalse(hasColour("quick-threads-prefill.png", "native:openblas"));
    }

    @Test
    void eachScenarioThatWasScaledHasItsPicture() throws IOException {
        for (String shape : List.of("1", "32")) {
            cell("model", shape, "attn4j-f32", Double.parseDouble(shape) * 1e6);
        }
        cell("model", "32", "attn4j-f32", 2e7).threads = 2;
        Pictures pictures = new Pictures(new Analysis(results), folder, "quick");
        assertEquals(50, pictures.scaling("model").get(0).points().get(2.0).median());
        assertEquals(List.of("quick-threads-model.png"),
            pictures.write().stream().filter(name -> name.contains("threads")).toList());
    }

    @Test
    void whoWasLeftOutHasNoBar() throws IOException {
        new Pictures(new Analysis(results), folder, "quick").write();
        assertTrue(hasColour("quick-prefill.png", "native:openblas"));
        assertFalse(hasColour("quick-overhead.png", "native:openblas"));
    }

    private boolean hasColour(String picture, String contender) throws IOException {
        BufferedImage image = ImageIO.read(folder.resolve(picture).toFile());
        int colour = Palette.colour(contender).getRGB();
        return IntStream.range(0, image.getWidth() * image.getHeight())
            .anyMatch(i -> image.getRGB(i % image.getWidth(), i / image.getWidth()) == colour);
    }

    @Test
    void aLibraryHasOneColourWithOrWithoutJvm() {
        assertEquals(Palette.colour("attn4j-f32"), Palette.colour("native:attn4j-f32@avx2"));
        List<String> names = List.of("attn4j-f32", "attn4j-bf16", "pytorch-f32", "onnxruntime-attention",
            "onnxruntime-mha", "onnxruntime-gqa", "djl", "openblas", "langchain4j", "java", "vector");
        assertEquals(names.size(), names.stream().map(Palette::colour).distinct().count());
    }

    @Test
    void numbersHaveThreeDigits() {
        assertEquals(List.of("0.00339", "0.600", "1.00", "10.0", "146", "1150", "0"),
            List.of(0.003390, 0.6, 1.0, 9.996, 145.6, 1154.0, 0.0).stream().map(Spread::digits).toList());
        assertEquals("2.50 (1.00-8.00)", Spread.of(List.of(3.0, 1.0, 8.0, 2.0)).toString());
        assertEquals("2.00", Spread.of(List.of(2.0, 2.001)).toString());
        assertEquals(new Spread(0.5, 0.25, 1), new Spread(2, 1, 4).inverse());
    }

    @Test
    void theReadmeChangesBetweenItsMarkersOnly() throws IOException {
        Path readme = folder.resolve("README.md");
        Files.writeString(readme, "before\n" + Readme.BEGIN + "\nold\n" + Readme.END + "\nafter\n");
        Readme.update(readme, new Analysis(results), folder.resolve("results/here"), "quick");
        String once = Files.readString(readme);
        assertTrue(once.startsWith("before\n" + Readme.BEGIN) && once.endsWith(Readme.END + "\nafter\n"), once);
        assertTrue(once.contains("| overhead | " + SMALL + " | 1 | 0.00210 | 1.05 |  | pytorch-f32 | 0.00420 | 2.00 |"),
            once);
        assertTrue(once.contains("| prefill | " + PROMPT + " | 1 | 0.671 (0.600-0.700) |  | 50 % | native:openblas "
            + "| 0.660 (0.660-0.840) | 1.10 (0.983-1.20) |"), once);
        assertFalse(once.contains("| |"), once);
        assertTrue(once.contains("(results/here/quick-prefill.png)"), once);
        assertTrue(once.contains(" processors (avx2), commit abc1234, 2026-01-02, "), once);
        assertFalse(once.contains("old"));
        Readme.update(readme, new Analysis(results), folder.resolve("results/here"), "quick");
        assertEquals(once, Files.readString(readme));
        Files.writeString(readme, "no markers");
        assertThrows(IOException.class, () -> Readme.update(readme, new Analysis(results), folder, "quick"));
    }
}
