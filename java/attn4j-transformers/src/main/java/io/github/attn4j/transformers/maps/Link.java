// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.maps;

import io.github.attn4j.transformers.TokenSpan;

/**
 * How much one head lets some query tokens look at some key tokens.
 *
 * @param layer the layer, counted from 0 in the order in which they were added
 * @param head the head in its layer, counted from 0
 * @param queries where one looks from
 * @param keys what is looked at
 * @param weight the share of attention, 0 to 1 without dropout: the sum over the keys, since the pieces of a word are
 *     looked at together, and the mean over the queries (arXiv:1906.04341, section 4.1)
 */
public record Link(int layer, int head, TokenSpan queries, TokenSpan keys, float weight) {}
