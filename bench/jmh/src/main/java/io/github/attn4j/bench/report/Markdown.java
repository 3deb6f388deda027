// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Machine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** The report of a run as text. */
final class Markdown {
    private static final double MICRO = 1e3;
    private static final double MILLI = 1e6;
    private static final double MEBI = 1 << 20;

    private final Analysis analysis;
    private final List<String> pictures;
    private final StringBuilder out = new StringBuilder();

    Markdown(Analysis analysis, List<String> pictures) {
        this.analysis = analysis;
        this.pictures = pictures;
    }

    String report() {
        Machine machine = analysis.results.machine;
        line("# attn4j side by side: " + analysis.results.set);
        line("");
        line(machine.processor + ", " + machine.processors + " processors (" + String.join(" ", machine.flags) + "), "
                + machine.system + ", " + machine.java + ". Commit " + analysis.results.commit + ", "
                + analysis.results.date + ". Written by `bench/report/run`.");
        line("");
        losses();
        promises();
        pictures();
        line("## Numbers");
        line("");
        line("Medians over the rounds; in each round the contenders take turns, each in a process of its own, pinned "
                + "to as many processors as threads. Before it is timed, each one's output is compared with the "
                + "definition in doubles; *error* is the largest difference found. *Share* is of the float32 "
                + "multiply-adds that the registers alone manage on as many threads. *Memory* is what the first runs "
                + "added to the process. *More than from C* is how much longer the same call takes from Java, where "
                + "both are made by turns in one process.");
        analysis.keys().forEach(this::table);
        contenders();
        return out.toString();
    }

    private void losses() {
        List<Analysis.Loss> losses = analysis.losses();
        if (losses.isEmpty() && analysis.failed().isEmpty()) {
            return;
        }
        line("## Work to do");
        line("");
        for (Analysis.Loss loss : losses) {
            Cell other = loss.contender();
            line(String.format("- **%s %s, threads=%d**: %s is %.2f x as fast as %s (%s against %s)", other.scenario,
                    other.shape, other.threads, other.contender, loss.ratio(), loss.ours().contender,
                    time(other.median()), time(loss.ours().median())));
        }
        for (Cell cell : analysis.failed()) {
            line("- " + cell.scenario + " " + cell.shape + ", threads=" + cell.threads + ": " + cell.contender
                    + " did not run: " + cell.failure);
        }
        line("");
    }

    private void promises() {
        line("## Promises");
        line("");
        line("| what | measured | holds |");
        line("| --- | --- | --- |");
        for (MustHold.Line promise : new MustHold(analysis).lines()) {
            line("| " + promise.what() + " | " + promise.measured() + " | " + (promise.holds() ? "yes" : "**no**")
                    + " |");
        }
        line("");
    }

    private void pictures() {
        for (String picture : pictures) {
            line("![" + picture.replaceAll("\\.png$", "").replace('-', ' ') + "](" + picture + ")");
            line("");
        }
    }

    private void table(Analysis.Key key) {
        line("");
        line("### " + key.scenario() + " " + key.shape() + ", threads=" + key.threads());
        line("");
        boolean decode = key.scenario().equals("decode");
        boolean boundary = analysis.of(key).stream().anyMatch(cell -> cell.medianBoundary().isPresent());
        line("| contender | time | of attn4j's time | GFLOP/s | " + (decode ? "GB/s" : "share")
                + " | heap B/op | memory MiB | error |" + (boundary ? " more than from C |" : ""));
        line("| --- | --- | --- | --- | --- | --- | --- | --- |" + (boundary ? " --- |" : ""));
        for (Cell cell : analysis.of(key)) {
            String ratio = analysis.ours(key, cell.type())
                    .map(ours -> String.format("%.2f", cell.median() / ours.median()))
                    .orElse("");
            line("| " + String.join(" | ", cell.contender, time(cell.median()), ratio,
                    cell.flops > 0 ? String.format("%.1f", cell.gflops()) : "",
                    decode ? String.format("%.1f", bandwidth(cell)) : percent(analysis.share(cell)),
                    cell.withoutJvm() ? "" : String.format("%.1f", cell.allocated),
                    cell.withoutJvm() || cell.memory < 0 ? "" : String.format("%.1f", cell.memory / MEBI),
                    String.format("%.1e", cell.error)) + " |" + (boundary ? " " + boundary(cell) + " |" : ""));
        }
    }

    private void contenders() {
        Map<String, String> about = new LinkedHashMap<>();
        analysis.ran().forEach(cell -> about.put(cell.contender + ", threads=" + cell.threads, cell.about));
        line("");
        line("## Contenders");
        line("");
        about.forEach((who, what) -> line("- " + who + ": " + what));
    }

    private static String boundary(Cell cell) {
        OptionalDouble nanoseconds = cell.medianBoundary();
        return nanoseconds.isEmpty() ? "" : time(nanoseconds.getAsDouble());
    }

    /** Bytes of keys and values a nanosecond. */
    private static double bandwidth(Cell cell) {
        AttentionShape s = AttentionShape.parse(cell.shape);
        long numbers = 2L * s.batch() * s.kvHeads() * s.keys() * s.headDim();
        return numbers * (cell.type().equals("f32") ? 4 : 2) / cell.median();
    }

    static String percent(double share) {
        return share > 0 ? String.format("%.0f %%", 100 * share) : "";
    }

    static String time(double nanoseconds) {
        return nanoseconds < 10 * MICRO ? String.format("%.0f ns", nanoseconds)
                : nanoseconds < 10 * MILLI ? String.format("%.0f us", nanoseconds / MICRO)
                : String.format("%.1f ms", nanoseconds / MILLI);
    }

    private void line(String text) {
        out.append(text).append('\n');
    }
}
