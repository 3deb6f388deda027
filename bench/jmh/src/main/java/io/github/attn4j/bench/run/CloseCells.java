// SPDX-License-Identifier: Apache-2.0
// What is close in a few rounds may be chance: these take turns for more of them.
package io.github.attn4j.bench.run;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Contenders at most 15 % slower than attn4j on the JVM in their type, or faster, and what of attn4j is as close. */
final class CloseCells {
    private static final double CLOSE = 1.15;

    private CloseCells() {}

    /** {@return those of one case's cells that are close, in the same order} */
    static List<Cell> of(List<Cell> cells) {
        Set<Cell> close = new HashSet<>();
        for (Cell contender : cells) {
            if (contender.ran() && !contender.ours()) {
                List<Cell> ours = ours(cells, contender.type());
                double limit = CLOSE * ours.stream().mapToDouble(Cell::median).min().orElse(0);
                if (contender.median() <= limit) {
                    close.add(contender);
                    ours.stream().filter(cell -> cell.median() <= limit).forEach(close::add);
                }
            }
        }
        return cells.stream().filter(close::contains).toList();
    }

    /** Of a storage type; all where there is none of it, as the report compares. */
    private static List<Cell> ours(List<Cell> cells, String type) {
        List<Cell> ours = cells.stream().filter(cell -> cell.ran() && cell.ours() && !cell.withoutJvm()).toList();
        List<Cell> sameType = ours.stream().filter(cell -> cell.type().equals(type)).toList();
        return sameType.isEmpty() ? ours : sameType;
    }
}
