// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.report.Comparison.Verdict;
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

    /** Whether a promise is kept; not decided where rounds contradict each other. */
    enum Answer {
        YES,
        UNDECIDED,
        NO;

        static Answer of(boolean holds) {
            return holds ? YES : NO;
        }
    }

    /** One promise. */
    record Line(String what, String measured, Answer holds) {}

    private final Analysis analysis;
    private final List<Line> lines = new ArrayList<>();

    MustHold(Analysis analysis) {
        this.analysis = analysis;
    }

    List<Line> lines() {
        boundary();
        analysis.keys("overhead").forEach(this::overhead);
        analysis.keys("growth").stream().map(Analysis.Key::threads).distinct().forEach(this::growth);
        contenders();
        return lines;
    }

    /** Both sides of it run on one thread, whatever the number of the scenario's. */
    private void boundary() {
        List<Cell> cells = analysis.ran().stream()
                .filter(cell -> cell.contender.equals("attn4j-f32") && !cell.boundary.isEmpty())
                .toList();
        Spread.ofAny(cells.stream().flatMap(cell -> cell.boundary.stream()).toList()).ifPresent(nanoseconds -> {
            double bytes = cells.stream().mapToDouble(cell -> cell.boundaryBytes).max().orElseThrow();
            lines.add(new Line("the smallest call costs at most 150 ns more from Java than from C, both on one thread",
                    nanoseconds + " ns", Answer.of(nanoseconds.median() <= BOUNDARY_NANOSECONDS)));
            lines.add(new Line("it allocates nothing on the heap", Spread.digits(bytes) + " B/op",
                    Answer.of(bytes < NO_BYTES)));
        });
    }

    private void overhead(Analysis.Key key) {
        Optional<Cell> java = analysis.named(key, "attn4j-f32");
        if (java.isEmpty()) {
            return;
        }
        for (String library : List.of("pytorch", "onnxruntime")) {
            analysis.of(key).stream()
                    .filter(cell -> cell.contender.startsWith(library))
                    .map(cell -> Comparison.of(cell, java.get()))
                    .min(Comparator.comparingDouble(one -> one.spread().median()))
                    .ifPresent(one -> lines.add(new Line("the smallest call is at least 3 x as fast as "
                            + one.contender().contender + ", threads=" + key.threads(), one.spread() + " x",
                            Answer.of(one.spread().median() >= OVERHEAD_RATIO))));
        }
    }

    private void growth(int threads) {
        List<Cell> cells = analysis.ran().stream()
                .filter(cell -> cell.scenario.equals("growth") && cell.threads == threads
                        && cell.contender.equals("attn4j-f32"))
                .toList();
        if (cells.size() < 2) {
            return;
        }
        Spread perScore = Spread.of(cells.stream().map(cell -> cell.median() / cell.scores).toList());
        double growth = perScore.most() / perScore.least();
        lines.add(new Line("time per score is constant within 15 % from 512 to 32768 keys, threads=" + threads,
                Spread.digits(100 * (growth - 1)) + " %", Answer.of(growth <= GROWTH)));
        Cell first = cells.get(0);
        Cell last = cells.get(cells.size() - 1);
        double ratio = (double) last.memory / Math.max(1, first.memory);
        double linear = (double) last.scores / first.scores;
        lines.add(new Line("memory grows at most linearly with the keys, threads=" + threads,
                Spread.digits(ratio) + " x for " + Spread.digits(linear) + " x the keys",
                Answer.of(ratio <= LINEAR * linear)));
    }

    private void contenders() {
        int level = analysis.comparisons(Verdict.LEVEL).size();
        int behind = analysis.comparisons(Verdict.BEHIND).size();
        lines.add(new Line("no contender beats attn4j", "of the cells of contenders, attn4j is ahead of "
                + analysis.comparisons(Verdict.AHEAD).size() + ", level with " + level + ", behind " + behind,
                behind > 0 ? Answer.NO : level > 0 ? Answer.UNDECIDED : Answer.YES));
    }
}
