// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

/** The pictures of a run, as PNG files beside its numbers. */
final class Pictures {
    private static final List<String> SCENARIOS = List.of("prefill", "decode", "module", "model", "overhead");
    /** Below a page nothing is told apart, and a logarithm needs something. */
    private static final double PAGE = 4096;
    private static final double MEBI = 1 << 20;
    private static final double PERCENT = 100;
    private static final double NANOSECONDS = 1e9;
    private static final String RANGE = "median of the rounds, whiskers from the least to the most";

    private final Analysis analysis;
    private final Path folder;
    private final String set;
    private final List<String> written = new ArrayList<>();

    Pictures(Analysis analysis, Path folder, String set) {
        this.analysis = analysis;
        this.folder = folder;
        this.set = set;
    }

    /** Draws those there are numbers for, and gives their file names. */
    List<String> write() throws IOException {
        for (String scenario : SCENARIOS) {
            bars(scenario, "Speed in scenario " + scenario + ": attn4j in float32 on the JVM = 1",
                    groups(analysis.keys(scenario), this::speed));
        }
        bars("share", "Prefill: share of what registers alone multiply and add in the same type, in %",
                groups(analysis.keys("prefill"), cell -> analysis.share(cell).map(share -> share.times(PERCENT))));
        growth("time", "time, ms", RANGE, Unit.MILLISECONDS::time);
        growth("memory", "memory added by the first runs, MiB", "the most of all rounds", cell -> {
            double memory = Math.max(PAGE, cell.memory) / MEBI;
            return new Spread(memory, memory, memory);
        });
        for (String scenario : SCENARIOS) {
            threads(scenario);
        }
        bars("isa", "attn4j without a JVM on each instruction set, in GFLOP/s", isas());
        return written;
    }

    static String file(String set, String what) {
        return set + "-" + what + ".png";
    }

    private Optional<Spread> speed(Cell cell) {
        return analysis.ours(Analysis.key(cell), "f32").map(ours -> Comparison.of(cell, ours).spread().inverse());
    }

    private List<BarChart.Group> groups(List<Analysis.Key> keys, Function<Cell, Optional<Spread>> value) {
        return keys.stream()
                .map(key -> group(key.shape() + ", threads=" + key.threads(), analysis.of(key), value))
                .filter(group -> !group.bars().isEmpty())
                .toList();
    }

    /** Types are apart: the machine multiplies some faster than others. */
    private List<BarChart.Group> isas() {
        List<BarChart.Group> groups = new ArrayList<>();
        for (Analysis.Key key : analysis.keys("isa")) {
            analysis.of(key).stream().map(Cell::type).distinct().forEach(type -> groups.add(
                    group(key.shape() + ", threads=" + key.threads() + ", " + type,
                            analysis.of(key).stream().filter(cell -> cell.type().equals(type)).toList(),
                            cell -> Optional.of(Analysis.gflops(cell)))));
        }
        return groups;
    }

    private static BarChart.Group group(String heading, List<Cell> cells, Function<Cell, Optional<Spread>> value) {
        List<BarChart.Bar> bars = new ArrayList<>();
        for (Cell cell : cells) {
            value.apply(cell).ifPresent(spread ->
                    bars.add(new BarChart.Bar(cell.contender, Palette.colour(cell.contender), spread)));
        }
        return new BarChart.Group(heading, bars);
    }

    private void bars(String what, String title, List<BarChart.Group> groups) throws IOException {
        if (!groups.isEmpty()) {
            BarChart.write(path(what), title, subtitle("higher is better", RANGE), groups);
        }
    }

    private void growth(String what, String axis, String rounds, Function<Cell, Spread> value)
            throws IOException {
        List<LineChart.Line> lines = lines(cell -> cell.scenario.equals("growth"),
                cell -> cell.contender + ", threads=" + cell.threads, cell -> cell.threads > 1,
                cell -> AttentionShape.parse(cell.shape).keys(), value);
        if (!lines.isEmpty()) {
            LineChart.write(path("growth-" + what), "Prefill of 512 queries, 4 heads: " + what + " by keys",
                    subtitle("lower is better", rounds), "keys", axis, lines, true);
        }
    }

    private void threads(String scenario) throws IOException {
        List<LineChart.Line> scaling = scaling(scenario);
        if (!scaling.isEmpty()) {
            LineChart.write(path("threads-" + scenario),
                    "Threads: " + scenario + " " + scalingShape(scenario).orElseThrow() + " in float32",
                    subtitle("higher is better", RANGE), "threads", "runs a second", scaling, false);
        }
    }

    /** Speed by threads of those that were measured with more than one number of them. */
    List<LineChart.Line> scaling(String scenario) {
        return scalingShape(scenario)
                .map(shape -> lines(cell -> cell.scenario.equals(scenario) && cell.shape.equals(shape)
                        && cell.type().equals("f32"), cell -> cell.contender, Cell::withoutJvm, cell -> cell.threads,
                        Pictures::runsASecond))
                .orElse(List.of());
    }

    private static Spread runsASecond(Cell cell) {
        return Spread.of(cell.nanoseconds).inverse().times(NANOSECONDS);
    }

    /** The one that takes longest, as that is what threads are for. */
    private Optional<String> scalingShape(String scenario) {
        List<Analysis.Key> keys = analysis.keys(scenario);
        return keys.stream()
                .filter(key -> keys.stream().filter(other -> other.shape().equals(key.shape())).count() > 1)
                .max(Comparator.comparingDouble(key -> analysis.ours(key, "f32").map(Cell::median).orElse(0.0)))
                .map(Analysis.Key::shape);
    }

    /** A line a name, of those with two points or more. */
    private List<LineChart.Line> lines(Predicate<Cell> taken, Function<Cell, String> name, Predicate<Cell> dashed,
            Function<Cell, Integer> abscissa, Function<Cell, Spread> ordinate) {
        Map<String, LineChart.Line> lines = new LinkedHashMap<>();
        for (Cell cell : analysis.ran()) {
            if (taken.test(cell)) {
                String line = name.apply(cell);
                lines.computeIfAbsent(line, absent -> new LineChart.Line(line, Palette.colour(cell.contender),
                        dashed.test(cell), new TreeMap<>()))
                        .points().put(abscissa.apply(cell).doubleValue(), ordinate.apply(cell));
            }
        }
        return lines.values().stream().filter(line -> line.points().size() > 1).toList();
    }

    private String subtitle(String better, String rounds) {
        Machine machine = analysis.results.machine;
        return better + "; " + rounds + ". " + machine.processor + ", "
                + machine.processors + " processors, " + analysis.results.date.substring(0, 10);
    }

    private Path path(String what) {
        String name = file(set, what);
        written.add(name);
        return folder.resolve(name);
    }
}
