// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Results;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Questions to the numbers of a run. */
final class Analysis {
    /** One shape of a scenario with one number of threads. */
    record Key(String scenario, String shape, int threads) {
        boolean holds(Cell cell) {
            return cell.scenario.equals(scenario) && cell.shape.equals(shape) && cell.threads == threads;
        }
    }

    /** A contender that is faster than attn4j in the same storage type. */
    record Loss(Cell contender, Cell ours) {
        double ratio() {
            return ours.median() / contender.median();
        }
    }

    final Results results;

    Analysis(Results results) {
        this.results = results;
    }

    /** Those with times, in the order they were measured. */
    List<Cell> ran() {
        return results.cells.stream().filter(Cell::ran).toList();
    }

    List<Cell> failed() {
        return results.cells.stream()
                .filter(cell -> cell.failure != null && !cell.scenario.equals("isa"))
                .toList();
    }

    Set<Key> keys() {
        Set<Key> keys = new LinkedHashSet<>();
        ran().forEach(cell -> keys.add(new Key(cell.scenario, cell.shape, cell.threads)));
        return keys;
    }

    List<Key> keys(String scenario) {
        return keys().stream().filter(key -> key.scenario().equals(scenario)).toList();
    }

    List<Cell> of(Key key) {
        return ran().stream().filter(key::holds).toList();
    }

    Optional<Cell> named(Key key, String contender) {
        return of(key).stream().filter(cell -> cell.contender.equals(contender)).findFirst();
    }

    /** The fastest of attn4j on the JVM in a storage type; in float32 where it has no other. */
    Optional<Cell> ours(Key key, String type) {
        List<Cell> ours = of(key).stream().filter(cell -> cell.ours() && !cell.withoutJvm()).toList();
        return ours.stream()
                .filter(cell -> cell.type().equals(type))
                .min(Comparator.comparingDouble(Cell::median))
                .or(() -> ours.stream().min(Comparator.comparingDouble(Cell::median)));
    }

    /** The fastest other library in float32, with or without a JVM. */
    Optional<Cell> bestOther(Key key) {
        return of(key).stream()
                .filter(cell -> !cell.ours() && cell.type().equals("f32"))
                .min(Comparator.comparingDouble(Cell::median));
    }

    List<Loss> losses() {
        return keys().stream()
                .flatMap(key -> of(key).stream()
                        .filter(cell -> !cell.ours())
                        .flatMap(cell -> ours(key, cell.type()).map(ours -> new Loss(cell, ours)).stream()))
                .filter(loss -> loss.ratio() > 1)
                .toList();
    }

    /** The machine's limit with as many threads, in GFLOP/s: the median of what was measured around native turns. */
    double limit(int threads) {
        double[] limits = ran().stream()
                .filter(cell -> cell.threads == threads && cell.limit > 0 && !cell.scenario.equals("isa"))
                .mapToDouble(cell -> cell.limit)
                .sorted()
                .toArray();
        return limits.length == 0 ? 0 : limits[limits.length / 2];
    }

    /** Share of that limit; 0 where there is none or the arithmetic is of another type. */
    double share(Cell cell) {
        double limit = cell.limit > 0 ? cell.limit : limit(cell.threads);
        return cell.type().equals("f32") && limit > 0 ? cell.gflops() / limit : 0;
    }
}
