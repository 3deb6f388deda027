// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

/**
 * Keys and values that lie in several places: runs of rows of tensors. Positions count over all keys there ever were,
 * so that a run is known by the position of its first key, whatever lies between the runs.
 */
interface KeyRuns {
    /** The number of runs. */
    int count();

    /** The rows of which the run is a part. */
    KeyValues rows(int run);

    /** The first row of the run. */
    long first(int run);

    /** How many rows the run has. */
    long length(int run);

    /** The position of its first key. */
    long position(int run);
}
