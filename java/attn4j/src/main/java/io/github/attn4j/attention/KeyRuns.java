// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/**
 * Keys and values that lie in several places: runs of rows of tensors. Positions count over all keys there ever were,
 * so that a run is known by the position of its first key, whatever lies between the runs.
 */
interface KeyRuns {
    /** The number of runs. */
    int count();

    /** [batch, kvHeads, rows, headDim], of which the run is a part. */
    Tensor k(int run);

    /** [batch, kvHeads, rows, valueDim], of which the run is a part. */
    Tensor v(int run);

    /** The first row of the run. */
    long first(int run);

    /** How many rows the run has. */
    long length(int run);

    /** The position of its first key. */
    long position(int run);
}
