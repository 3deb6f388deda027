// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.util.List;

/** The unit of the times of one table or axis. */
enum Unit {
    MICROSECONDS("us", 1e3),
    MILLISECONDS("ms", 1e6);

    private static final double LEAST_MILLISECONDS = 1e5;

    final String symbol;
    private final double nanoseconds;

    Unit(String symbol, double nanoseconds) {
        this.symbol = symbol;
        this.nanoseconds = nanoseconds;
    }

    /** Milliseconds unless the shortest time would be less than a tenth of one. */
    static Unit of(List<Cell> cells) {
        double shortest = cells.stream().mapToDouble(Cell::median).min().orElse(0);
        return shortest < LEAST_MILLISECONDS ? MICROSECONDS : MILLISECONDS;
    }

    Spread time(Cell cell) {
        return Spread.of(cell.nanoseconds).times(1 / nanoseconds);
    }
}
