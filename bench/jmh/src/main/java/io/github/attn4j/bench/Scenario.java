// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What all scenarios have in common for JMH: a contender is set up, compared once, timed, and closed. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public abstract class Scenario {
    /** Threads of each contender. */
    @Param("1")
    public int threads;

    private Contender running;

    /** Creates a state for JMH. */
    protected Scenario() {}

    /**
     * Who runs.
     *
     * @param name of the contender
     * @param contender set up
     * @param error of its output
     */
    public record Entry(String name, Contender contender, Facts.Error error) {
        /** One whose output is attention over these inputs. */
        public static Entry ofAttention(String name, Contender contender, AttentionOperands in) {
            return new Entry(name, contender, out -> Expected.attentionError(in, out));
        }
    }

    /**
     * Sets up the contender that the parameters name.
     *
     * @return it
     * @throws Exception whatever the library throws
     */
    protected abstract Entry enter() throws Exception;

    /** Sets the contender up, compares its output with what it should be, and warms up what needs more than JMH's. */
    @Setup
    public void setup() throws Exception {
        Entry entry = enter();
        running = entry.contender();
        Facts.check(entry.name(), running, entry.error());
        for (long begin = System.nanoTime(); System.nanoTime() - begin < running.warmUp().toNanos();) {
            running.run();
        }
    }

    /** Frees it. */
    @TearDown
    public void tearDown() throws Exception {
        running.close();
    }

    /** The work once. */
    @Benchmark
    public void run() throws Exception {
        running.run();
    }
}
