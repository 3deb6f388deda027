// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.run.Cell;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** The pictures of a run, as PNG files beside its numbers. */
final class Pictures {
    private static final List<String> SCENARIOS = List.of("prefill", "decode", "module", "model", "overhead");
    /** Below a page nothing is told apart, and a logarithm needs something. */
    private static final double LEAST_KIB = 4;
    private static final double KIBI = 1024;
    private static final double MILLI = 1e6;

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
            speed(scenario);
        }
        share();
        growth("time", "ms", cell -> cell.median() / MILLI);
        growth("memory", "KiB added by the first runs", cell -> Math.max(LEAST_KIB, cell.memory / KIBI));
        scaling();
        isas();
        return written;
    }

    static String file(String set, String what) {
        return set + "-" + what + ".png";
    }

    /** Bars: how many times as fast as attn4j in float32 on the JVM each contender is. */
    private void speed(String scenario) throws IOException {
        List<Analysis.Key> keys = analysis.keys(scenario).stream()
                .filter(key -> analysis.ours(key, "f32").isPresent())
                .toList();
        bars(scenario, "Speed, attn4j in float32 on the JVM = 1", "Scenario " + scenario, keys,
                (key, cell) -> analysis.ours(key, "f32").orElseThrow().median() / cell.median());
    }

    private void share() throws IOException {
        List<Analysis.Key> keys = analysis.limit(1) > 0 ? analysis.keys("prefill") : List.of();
        bars("share", "%", "Prefill in float32: share of the machine's multiply-adds", keys, (key, cell) -> {
            double share = analysis.share(cell);
            return share > 0 ? 100 * share : Double.NaN;
        });
    }

    private void growth(String what, String unit, ToDoubleFunction<Cell> value) throws IOException {
        Map<String, Map<Double, Double>> lines = new LinkedHashMap<>();
        for (Cell cell : analysis.ran()) {
            if (cell.scenario.equals("growth")) {
                lines.computeIfAbsent(cell.contender + ", threads=" + cell.threads, name -> new LinkedHashMap<>())
                        .put((double) AttentionShape.parse(cell.shape).keys(), value.applyAsDouble(cell));
            }
        }
        if (!lines.isEmpty()) {
            Charts.lines(path("growth-" + what), "Prefill of 512 queries, 4 heads: " + what + " by keys", "keys", unit,
                    lines, true);
        }
    }

    private void scaling() throws IOException {
        Set<Integer> threads = new LinkedHashSet<>();
        analysis.keys("prefill").forEach(key -> threads.add(key.threads()));
        if (threads.size() < 2) {
            return;
        }
        String shape = analysis.keys("prefill").get(0).shape();
        Map<String, Map<Double, Double>> lines = new LinkedHashMap<>();
        for (Cell cell : analysis.ran()) {
            if (cell.scenario.equals("prefill") && cell.shape.equals(shape) && cell.type().equals("f32")) {
                lines.computeIfAbsent(cell.contender, name -> new LinkedHashMap<>())
                        .put((double) cell.threads, cell.gflops());
            }
        }
        Charts.lines(path("threads"), "Prefill " + shape + " in float32", "threads", "GFLOP/s", lines, false);
    }

    private void isas() throws IOException {
        bars("isa", "GFLOP/s", "attn4j without a JVM on each instruction set", analysis.keys("isa"),
                (key, cell) -> cell.gflops());
    }

    private void bars(String what, String axis, String title, List<Analysis.Key> keys, Height height)
            throws IOException {
        Set<String> names = new LinkedHashSet<>();
        keys.forEach(key -> analysis.of(key).forEach(cell -> names.add(cell.contender)));
        Map<String, List<Double>> series = new LinkedHashMap<>();
        for (String name : names) {
            List<Double> values = keys.stream()
                    .map(key -> analysis.named(key, name).map(cell -> height.of(key, cell)).orElse(Double.NaN))
                    .toList();
            if (values.stream().anyMatch(value -> !value.isNaN())) {
                series.put(name, values);
            }
        }
        if (!series.isEmpty()) {
            List<String> groups = keys.stream().map(key -> key.shape() + ", threads=" + key.threads()).toList();
            Charts.bars(path(what), title, axis, groups, series);
        }
    }

    private Path path(String what) {
        String name = file(set, what);
        written.add(name);
        return folder.resolve(name);
    }

    @FunctionalInterface
    private interface Height {
        double of(Analysis.Key key, Cell cell);
    }
}
