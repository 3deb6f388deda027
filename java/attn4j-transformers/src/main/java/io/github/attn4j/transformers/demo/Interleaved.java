// SPDX-License-Identifier: Apache-2.0
// Times two contenders in turns, so that a noisy machine is noisy for both, and gives the median of each. The pause
// before each turn lets the other's threads stop spinning.
package io.github.attn4j.transformers.demo;

import java.util.Arrays;
import java.util.concurrent.Callable;

final class Interleaved {
    private static final int WARM_UPS = 3;
    private static final double WARM_UP_SHARE = 0.3;
    private static final int MOST_TURNS = 31;
    private static final int LEAST_TURNS = 3;
    private static final long PAUSE_MILLIS = 20;

    /** Median seconds of one turn of each. */
    record Medians(double first, double second) {}

    private Interleaved() {}

    /** Takes a few turns to warm up, 3 of each that count, then as many as {@code seconds} allow, 31 at most. */
    static Medians measure(Callable<?> first, Callable<?> second, double seconds) throws Exception {
        double warm = 0;
        for (int i = 0; i < WARM_UPS && warm < WARM_UP_SHARE * seconds; i++) {
            warm += time(first) + time(second);
        }
        double[] firsts = new double[MOST_TURNS];
        double[] others = new double[MOST_TURNS];
        long end = System.nanoTime() + (long) (seconds * 1e9);
        int turns = 0;
        while (turns < MOST_TURNS && (turns < LEAST_TURNS || System.nanoTime() < end)) {
            firsts[turns] = time(first);
            others[turns++] = time(second);
        }
        return new Medians(median(firsts, turns), median(others, turns));
    }

    private static double time(Callable<?> contender) throws Exception {
        Thread.sleep(PAUSE_MILLIS);
        long start = System.nanoTime();
        contender.call();
        return (System.nanoTime() - start) / 1e9;
    }

    private static double median(double[] values, int count) {
        double[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    }
}
