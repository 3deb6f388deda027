// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.run.Cell;
import io.github.attn4j.bench.run.Results;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Questions to the numbers of a run. */
final class Analysis {
    /** One shape of a scenario with one number of threads. */
    record Key(String scenario, String shape, int threads) {
        boolean holds(Cell cell) {
            return cell.scenario.equals(scenario) && cell.shape.equals(shape) && cell.threads == threads;
        }

        @Override
        public String toString() {
            return scenario + " " + shape + ", threads=" + threads;
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
        ran().forEach(cell -> keys.add(key(cell)));
        return keys;
    }

    List<Key> keys(String scenario) {
        return keys().stream().filter(key -> key.scenario().equals(scenario)).toList();
    }

    static Key key(Cell cell) {
        return new Key(cell.scenario, cell.shape, cell.threads);
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

    /** A cell against attn4j in the same storage type. */
    Optional<Comparison> comparison(Cell cell) {
        return ours(key(cell), cell.type()).map(ours -> Comparison.of(cell, ours));
    }

    /** A cell of attn4j on the JVM against the same work from C, which has its name there. */
    Optional<Comparison> fromC(Cell cell) {
        return cell.ours() ? named(key(cell), Cell.NATIVE + cell.contender).map(fromC -> Comparison.of(cell, fromC))
                : Optional.empty();
    }

    /** All other libraries, with or without a JVM, against attn4j. */
    List<Comparison> comparisons() {
        return comparisons(ran().stream());
    }

    List<Comparison> comparisons(Comparison.Verdict verdict) {
        return comparisons().stream().filter(one -> one.verdict() == verdict).toList();
    }

    /** The one that comes closest to attn4j, or passes it, in float32. */
    Optional<Comparison> closest(Key key) {
        return comparisons(of(key).stream().filter(cell -> cell.type().equals("f32")))
                .stream()
                .min(Comparator.comparingDouble(one -> one.spread().median()));
    }

    private List<Comparison> comparisons(Stream<Cell> cells) {
        return cells.filter(cell -> !cell.ours()).flatMap(cell -> comparison(cell).stream()).toList();
    }

    /** The machine's GFLOP/s in a type with as many threads: the median of what native turns of that type measured. */
    Optional<Spread> limit(int threads, String type) {
        return Spread.ofAny(ran().stream()
                .filter(cell -> cell.threads == threads && cell.type().equals(type) && cell.limit > 0
                        && !cell.scenario.equals("isa"))
                .map(cell -> cell.limit)
                .toList());
    }

    /** Share of the machine's limit: what the native program measured itself, else by its limits of the same type. */
    Optional<Spread> share(Cell cell) {
        return Spread.ofAny(cell.share)
                .or(() -> leastTime(cell).map(least -> Spread.of(cell.nanoseconds).inverse().times(least)));
    }

    /** The nanoseconds that multiply-adds take alone; in decode those that reading keys and values takes, if longer. */
    private Optional<Double> leastTime(Cell cell) {
        Optional<Double> limit = cell.limit > 0 ? Optional.of(cell.limit)
                : limit(cell.threads, cell.type()).map(Spread::median);
        Optional<Double> adding = limit.filter(gflops -> cell.flops > 0).map(gflops -> cell.flops / gflops);
        return cell.scenario.equals("decode")
                ? adding.flatMap(least -> readLimit(cell).map(limits -> Math.max(least, bytes(cell) / limits.median())))
                : adding;
    }

    /** GB/s of reading as many bytes, by what native turns of the same case and type measured. */
    private Optional<Spread> readLimit(Cell cell) {
        return Spread.ofAny(of(key(cell)).stream()
                .filter(other -> other.type().equals(cell.type()) && other.readLimit > 0)
                .map(other -> other.readLimit)
                .toList());
    }

    /** Of keys and values. */
    static long bytes(Cell cell) {
        AttentionShape s = AttentionShape.parse(cell.shape);
        long numbers = 2L * s.batch() * s.kvHeads() * s.keys() * s.headDim();
        return numbers * (cell.type().equals("f32") ? Float.BYTES : Short.BYTES);
    }

    static Spread gflops(Cell cell) {
        return Spread.of(cell.nanoseconds).inverse().times(cell.flops);
    }
}
