// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/**
 * A module's output and what its heads looked at. Immutable and thread-safe.
 *
 * @param out [batch, queries, width], or as the module says
 * @param weights [batch, heads, queries, keys], or averaged over the heads [batch, queries, keys]; after dropout
 */
public record WeightedOutput(Tensor out, Tensor weights) {}
