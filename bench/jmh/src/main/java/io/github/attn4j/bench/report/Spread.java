// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The median of a number a round, and how far the rounds differ. */
record Spread(double median, double least, double most) {
    private static final int DIGITS = 3;

    /** Of one number or more. */
    static Spread of(List<Double> rounds) {
        return new Spread(Cell.median(rounds), Collections.min(rounds), Collections.max(rounds));
    }

    /** Of any number of them. */
    static Optional<Spread> ofAny(List<Double> rounds) {
        return rounds.isEmpty() ? Optional.empty() : Optional.of(of(rounds));
    }

    Spread times(double factor) {
        return new Spread(median * factor, least * factor, most * factor);
    }

    /** One over each of the numbers, of which the least is then the most. */
    Spread inverse() {
        return new Spread(1 / median, 1 / most, 1 / least);
    }

    /** The median, and in brackets the range where there is one. */
    @Override
    public String toString() {
        return digits(median) + range();
    }

    /** The range in brackets, with the space before it; nothing where the rounds do not differ. */
    String range() {
        String from = digits(least);
        String to = digits(most);
        return from.equals(to) ? "" : " (" + from + "-" + to + ")";
    }

    /** Three significant digits. */
    static String digits(double value) {
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(DIGITS));
        if (rounded.signum() == 0) {
            return "0";
        }
        int before = rounded.precision() - rounded.scale();
        return rounded.setScale(Math.max(0, DIGITS - before)).toPlainString();
    }
}
