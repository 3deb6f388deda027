// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.report.Comparison.Verdict;
import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Machine;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The report of a run as text. */
final class Markdown {
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
        line(machine.name() + ", " + machine.system + ", " + machine.java + ". Commit "
                + analysis.results.commit + ", " + analysis.results.date + ". Written by `bench/report/run`.");
        line("");
        workToDo();
        level();
        promises();
        pictures();
        numbers();
        contenders();
        return out.toString();
    }

    private void workToDo() {
        List<Comparison> behind = analysis.comparisons(Verdict.BEHIND);
        if (behind.isEmpty() && analysis.failed().isEmpty()) {
            return;
        }
        line("## Work to do");
        line("");
        behind.forEach(this::comparison);
        for (Cell cell : analysis.failed()) {
            line("- **" + Analysis.key(cell) + "**: " + cell.contender + " did not run: " + cell.failure);
        }
        line("");
    }

    private void level() {
        List<Comparison> level = analysis.comparisons(Verdict.LEVEL);
        if (level.isEmpty()) {
            return;
        }
        line("## Level: the rounds contradict each other");
        line("");
        level.forEach(this::comparison);
        line("");
    }

    private void comparison(Comparison one) {
        Unit unit = Unit.of(List.of(one.contender(), one.ours()));
        line("- **" + Analysis.key(one.contender()) + "**: " + one.contender().contender + " takes " + one.spread()
                + " of the time of " + one.ours().contender + ", which is ahead in " + one.roundsAhead() + " of "
                + one.ratios().size() + " rounds (" + unit.time(one.contender()) + " against " + unit.time(one.ours())
                + " " + unit.symbol + ")" + Known.about(one.contender()).map(why -> ". " + why + ".").orElse(""));
    }

    private void promises() {
        line("## Promises");
        line("");
        line("| what | measured | holds |");
        line("| --- | --- | --- |");
        for (MustHold.Line promise : new MustHold(analysis).lines()) {
            String holds = promise.holds().name().toLowerCase(Locale.ROOT);
            line("| " + promise.what() + " | " + promise.measured() + " | "
                    + (promise.holds() == MustHold.Answer.NO ? "**" + holds + "**" : holds) + " |");
        }
        line("");
    }

    private void pictures() {
        for (String picture : pictures) {
            line("![" + picture.replaceAll("\\.png$", "").replace('-', ' ') + "](" + picture + ")");
            line("");
        }
    }

    private void numbers() {
        line("## Numbers");
        line("");
        line("In each round the contenders take turns, each in a process of its own, on as many threads as processors "
                + "(Linux: pinned to them). A number is the median over the rounds, with the range from the least to "
                + "the most in brackets. Before it is timed, each one's output is compared with what is expected: the "
                + "definition in doubles, in scenario model on the JVM the vectors of ONNX Runtime.");
        line("");
        line("- *Of attn4j's time*: the median, and the range, of a round's time over that of attn4j on the JVM in the "
                + "same round and type; attn4j is ahead where all rounds are above 1.");
        line("- *Share*: of the speed that multiply-adds of the same type in registers alone reach on as many "
                + "threads; in decode of that or of reading keys and values from memory, whichever takes longer. "
                + "Without a JVM it is measured around each repetition; on the JVM it is of the median limit that "
                + "those cells found. In scenario isa the limit is that of the row's own instruction set.");
        line("- *Heap B/op*: the least of the rounds by JMH, which also counts what its harness allocates meanwhile; "
                + "the promise above counts calls alone.");
        line("- *Memory*: the most that the first runs of a round added to the process.");
        line("- *Error*: the largest difference found.");
        line("- *From C*, *of C's time*: the time of the same work without a JVM, in a process of its own, and the "
                + "median, and the range, of a round's time from Java over that. In scenario model it begins with "
                + "tokens from C: tokenizing counts from Java alone.");
        line("- *More than from C*: how much longer the same call takes from Java, where both are made by turns in one "
                + "process, on one thread.");
        if (analysis.results.machine.flags.contains("amx_tile")) {
            line("- PyTorch, also DJL's, goes without AMX: with it, its bf16 attention dies of SIGILL in a JVM.");
        }
        analysis.keys().forEach(this::table);
    }

    private void table(Analysis.Key key) {
        List<Cell> cells = analysis.of(key);
        Unit unit = Unit.of(cells);
        List<Column> columns = List.of(
                new Column("contender", cell -> cell.contender),
                new Column("rounds", cell -> Integer.toString(cell.nanoseconds.size())),
                new Column("time, " + unit.symbol, cell -> unit.time(cell).toString()),
                new Column("of attn4j's time", cell -> text(analysis.comparison(cell).map(Comparison::spread))),
                new Column("GFLOP/s", cell -> cell.flops > 0 ? Spread.digits(cell.flops / cell.median()) : ""),
                new Column("GB/s", cell -> key.scenario().equals("decode")
                        ? Spread.digits(Analysis.bytes(cell) / cell.median()) : ""),
                new Column(key.scenario().equals("isa") ? "share of its ISA's limit" : "share",
                        cell -> analysis.share(cell).map(Markdown::percent).orElse("")),
                new Column("heap B/op", cell -> cell.withoutJvm() ? "" : format("%.1f", cell.allocated)),
                new Column("memory, MiB", cell -> cell.withoutJvm() || cell.memory < 0 ? ""
                        : format("%.1f", cell.memory / MEBI)),
                new Column("error", cell -> format("%.1e", cell.error)),
                new Column("from C, " + unit.symbol,
                        cell -> text(analysis.fromC(cell).map(one -> unit.time(one.ours())))),
                new Column("of C's time", cell -> text(analysis.fromC(cell).map(Comparison::spread))),
                new Column("more than from C, ns", cell -> text(Spread.ofAny(cell.boundary))));
        List<Column> told = columns.stream().filter(column -> column.tells(cells)).toList();
        line("");
        line("### " + key);
        line("");
        line(row(told, Column::name));
        line(row(told, column -> "---"));
        cells.forEach(cell -> line(row(told, column -> column.of().apply(cell))));
    }

    private void contenders() {
        Set<String> about = new LinkedHashSet<>();
        analysis.ran().forEach(cell -> about.add("- " + cell.scenario + ", " + cell.contender + ", threads="
                + cell.threads + ": " + cell.about));
        line("");
        line("## Contenders");
        line("");
        about.forEach(this::line);
    }

    static String percent(Spread share) {
        return format("%.0f %%", 100 * share.median());
    }

    private static String row(List<Column> columns, Function<Column, String> cell) {
        return columns.stream().map(cell).collect(Collectors.joining(" | ", "| ", " |"));
    }

    private static String text(Optional<Spread> spread) {
        return spread.map(Spread::toString).orElse("");
    }

    private static String format(String form, double value) {
        return String.format(Locale.ROOT, form, value);
    }

    private void line(String text) {
        out.append(text).append('\n');
    }

    /** Left out of a table for whose cells it is empty. */
    private record Column(String name, Function<Cell, String> of) {
        boolean tells(List<Cell> cells) {
            return cells.stream().anyMatch(cell -> !of.apply(cell).isEmpty());
        }
    }
}
