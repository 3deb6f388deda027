// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** One library's way of doing a scenario's work, set up once as its documentation advises. Not thread-safe. */
public interface Contender extends AutoCloseable {
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

    /** How far its output may be from the definition in doubles, as an absolute difference of one element. */
    default double tolerance() {
        return 1e-4;
    }

    @Override
    void close() throws Exception;
}
