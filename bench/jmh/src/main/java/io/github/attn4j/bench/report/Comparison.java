// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A contender against attn4j, or attn4j on the JVM against the same from C, round by round: neighbours in time, so that
 * a change of the machine's speed cancels.
 *
 * @param ratios the first one's time over the other's, for each round that both took part in
 */
record Comparison(Cell contender, Cell ours, List<Double> ratios) {
    /** How attn4j stands. */
    enum Verdict {
        AHEAD,
        LEVEL,
        BEHIND
    }

    static Comparison of(Cell contender, Cell ours) {
        int rounds = Math.min(contender.nanoseconds.size(), ours.nanoseconds.size());
        return new Comparison(contender, ours, IntStream.range(0, rounds)
                .mapToObj(round -> contender.nanoseconds.get(round) / ours.nanoseconds.get(round))
                .toList());
    }

    Spread spread() {
        return Spread.of(ratios);
    }

    /** In how many rounds attn4j was faster. */
    long roundsAhead() {
        return ratios.stream().filter(ratio -> ratio > 1).count();
    }

    Verdict verdict() {
        if (roundsAhead() == ratios.size()) {
            return Verdict.AHEAD;
        }
        return spread().median() < 1 ? Verdict.BEHIND : Verdict.LEVEL;
    }
}
