// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What is known of one contender at one shape with one number of threads. Public fields are its JSON. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public final class Cell {
    /** Contenders that are processes without a JVM have this before their name. */
    public static final String NATIVE = "native:";

    /** Comes between the name of a contender and the instruction set that it is restricted to. */
    static final char ISA = '@';

    /** The scenario, such as prefill. */
    public String scenario;
    /** As the scenario writes it. */
    public String shape;
    /** Its name. */
    public String contender;
    /** Of the contender, pinned to as many processors. */
    public int threads;
    /**
     * Nanoseconds of one run: one number a round; the n-th is of the n-th round, in which all of a case took turns. In
     * rounds beyond the set's only those take part that are close, see {@link CloseCells}, but they in all of them.
     */
    public List<Double> nanoseconds = new ArrayList<>();
    /** Useful floating-point operations of a run; 0 where they are not counted. */
    public double flops;
    /** Pairs of query and key of a run; 0 where they are not counted. */
    public long scores;
    /** Bytes allocated on the Java heap in a run, the least of all rounds; negative where there is no heap. */
    public double allocated;
    /** Growth of resident memory by the first runs, in bytes, the most of all rounds; negative if unknown. */
    public long memory;
    /** How many nanoseconds longer a call takes from Java than from C: one number a round where it was measured. */
    public List<Double> boundary = new ArrayList<>();
    /** Bytes that such a call allocates on the Java heap, the most of all rounds. */
    public double boundaryBytes;
    /** The largest difference from the expected output in any round. */
    public double error;
    /**
     * GFLOP/s of a loop of multiply-adds in registers on the same threads, in the last round; 0 where it was not
     * measured.
     */
    public double limit;
    /** GB/s of a loop that reads memory on the same threads, in the last round; 0 where it was not measured. */
    public double readLimit;
    /**
     * The share of the machine's limit that the program without a JVM measured around each of its repetitions: one
     * number a round, as the times; for decode the limit is the roofline. Empty on the JVM.
     */
    public List<Double> share = new ArrayList<>();
    /** Library, version, instruction set, threads. */
    public String about;
    /** Why it has no times. */
    public String failure;

    /** For JSON. */
    public Cell() {}

    Cell(Case where, String contender, int threads) {
        scenario = where.scenario();
        shape = where.shape();
        this.contender = contender;
        this.threads = threads;
        flops = where.flops();
        scores = where.scores();
    }

    /** {@return whether it has times} */
    public boolean ran() {
        return failure == null && !nanoseconds.isEmpty();
    }

    /** {@return whether there was no JVM} */
    public boolean withoutJvm() {
        return contender.startsWith(NATIVE);
    }

    /** {@return whether it is attn4j} */
    public boolean ours() {
        return contender.startsWith("attn4j") || contender.startsWith(NATIVE + "attn4j");
    }

    /** {@return its storage type: f32, bf16 or f16} */
    public String type() {
        int isa = contender.indexOf(ISA);
        String name = isa < 0 ? contender : contender.substring(0, isa);
        return name.endsWith("bf16") ? "bf16" : name.endsWith("f16") ? "f16" : "f32";
    }

    /** {@return the median over the rounds, in nanoseconds} */
    public double median() {
        return median(nanoseconds);
    }

    /** {@return the median of one number or more} */
    public static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int n = sorted.size();
        return (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }

    /** Adds a round's time and what is kept of the worst round. */
    void add(double time, double difference, long grown) {
        error = nanoseconds.isEmpty() ? difference : Math.max(error, difference);
        memory = nanoseconds.isEmpty() ? grown : Math.max(memory, grown);
        nanoseconds.add(time);
    }

    boolean is(Case where, String name, int count) {
        return scenario.equals(where.scenario()) && shape.equals(where.shape()) && contender.equals(name)
                && threads == count;
    }
}
