// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What the project promises and how far it is true of these numbers. */
final class MustHold {
    private static final double BOUNDARY_NANOSECONDS = 150;
    /** So many calls are counted that an allocation of the counting itself stays below. */
    private static final double NO_BYTES = 0.01;
    private static final double OVERHEAD_RATIO = 3;
    private static final double GROWTH = 1.15;
    /** A line in keys that begins at 0 or above it has no larger share of memory for more keys. */
    private static final double LINEAR = 1.15;

    /** One promise. */
    record Line(String what, String measured, boolean holds) {}

    private final Analysis analysis;
    private final List<Line> lines = new ArrayList<>();

    MustHold(Analysis analysis) {
        this.analysis = analysis;
    }

    List<Line> lines() {
        analysis.keys("overhead").forEach(this::overhead);
        analysis.keys("growth").stream().map(Analysis.Key::threads).distinct().forEach(this::growth);
        int losses = analysis.losses().size();
        lines.add(new Line("no contender beats attn4j", losses + " cells where one does", losses == 0));
        return lines;
    }

    private void overhead(Analysis.Key key) {
        Optional<Cell> java = analysis.named(key, "attn4j-f32");
        if (java.isEmpty()) {
            return;
        }
        java.get().medianBoundary().ifPresent(boundary -> {
            double bytes = java.get().boundaryBytes;
            lines.add(new Line("the smallest call costs at most 150 ns more from Java than from C, threads="
                    + key.threads(), String.format("%.0f ns", boundary), boundary <= BOUNDARY_NANOSECONDS));
            lines.add(new Line("it allocates nothing, threads=" + key.threads(), String.format("%.3f B/op", bytes),
                    bytes < NO_BYTES));
        });
        for (String library : List.of("pytorch", "onnxruntime")) {
            analysis.of(key).stream()
                    .filter(cell -> cell.contender.startsWith(library))
                    .min(Comparator.comparingDouble(Cell::median))
                    .ifPresent(other -> {
                        double ratio = other.median() / java.get().median();
                        lines.add(new Line("it is at least 3 x faster than " + other.contender + ", threads="
                                + key.threads(), String.format("%.1f x", ratio), ratio >= OVERHEAD_RATIO));
                    });
        }
    }

    private void growth(int threads) {
        List<Cell> cells = analysis.ran().stream()
                .filter(cell -> cell.scenario.equals("growth") && cell.threads == threads
                        && cell.contender.equals("attn4j-f32"))
                .toList();
        double[] perScore = cells.stream().mapToDouble(cell -> cell.median() / cell.scores).sorted().toArray();
        if (perScore.length < 2) {
            return;
        }
        double spread = perScore[perScore.length - 1] / perScore[0];
        lines.add(new Line("time per score is constant within 15 % from 512 to 32768 keys, threads=" + threads,
                String.format("%.1f %%", 100 * (spread - 1)), spread <= GROWTH));
        Cell first = cells.get(0);
        Cell last = cells.get(cells.size() - 1);
        double ratio = (double) last.memory / Math.max(1, first.memory);
        double linear = (double) last.scores / first.scores;
        lines.add(new Line("memory grows at most linearly with the keys, threads=" + threads,
                String.format("%.1f x for %.0f x the keys", ratio, linear), ratio <= LINEAR * linear));
    }
}
