// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Numbers as places between 0 and 1, and those that are labelled: 1, 2 and 5 times powers of ten. */
record Axis(double from, double to, boolean logarithmic, List<Double> ticks) {
    private static final int[] STEPS = {1, 2, 5};
    private static final int DECADE = 10;
    private static final int MOST_TICKS = 6;

    /** From 0 on. */
    static Axis linear(double most) {
        BigDecimal step = BigDecimal.valueOf(round(most / MOST_TICKS, true));
        List<Double> ticks = new ArrayList<>();
        for (BigDecimal tick = BigDecimal.ZERO; tick.doubleValue() <= most; tick = tick.add(step)) {
            ticks.add(tick.doubleValue());
        }
        return new Axis(0, most, false, ticks);
    }

    static Axis logarithmic(double least, double most) {
        double from = round(least, false);
        double to = round(most, true);
        List<Double> ticks = new ArrayList<>();
        for (int power = exponent(from); power <= exponent(to); power++) {
            for (int step : STEPS) {
                double tick = times(step, power);
                if (tick >= from && tick <= to) {
                    ticks.add(tick);
                }
            }
        }
        return new Axis(from, to, true, ticks);
    }

    /** Labelled at just these numbers, of which there are two or more in rising order, with a margin. */
    static Axis at(List<Double> ticks, boolean logarithmic) {
        double least = ticks.get(0);
        double most = ticks.get(ticks.size() - 1);
        double margin = (most - least) / (2 * ticks.size());
        double factor = Math.pow(most / least, 1.0 / (4 * ticks.size()));
        return logarithmic ? new Axis(least / factor, most * factor, true, ticks)
                : new Axis(least - margin, most + margin, false, ticks);
    }

    static String label(double tick) {
        return BigDecimal.valueOf(tick).stripTrailingZeros().toPlainString();
    }

    double place(double value) {
        return logarithmic ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
    }

    /** The next of those numbers, above or below. */
    private static double round(double value, boolean up) {
        int power = exponent(value);
        double below = times(1, power);
        for (int step : STEPS) {
            double here = times(step, power);
            if (here >= value) {
                return up || here == value ? here : below;
            }
            below = here;
        }
        return up ? times(DECADE, power) : below;
    }

    private static int exponent(double value) {
        return (int) Math.floor(Math.log10(value));
    }

    private static double times(int step, int power) {
        return Double.parseDouble(step + "e" + power);
    }
}
