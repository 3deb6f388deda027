// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import java.time.Duration;

/** One library's way of doing a scenario's work, set up once as its documentation advises. Not thread-safe. */
public interface Contender extends AutoCloseable {
    /** How long the JIT compiler, which shares the processors, takes for work that is done in Java. */
    Duration COMPILED = Duration.ofMillis(1500);

    /**
     * Does the work once; this is what is timed.
     *
     * @throws Exception whatever the library throws
     */
    void run() throws Exception;

    /**
     * The result of the last run, in the layout of the scenario, to be compared before timing.
     *
     * @return its elements
     * @throws Exception whatever the library throws
     */
    float[] output() throws Exception;

    /** {@return library, version, and what it says of its instruction set and threads} */
    String describe();

    /** {@return for how long it runs before it is timed, beside its first runs and JMH's warm-up} */
    default Duration warmUp() {
        return Duration.ZERO;
    }

    /** How far its output may be from the definition in doubles, as an absolute difference of one element. */
    default double tolerance() {
        return Expected.tolerance("f32");
    }

    @Override
    void close() throws Exception;
}
