// SPDX-License-Identifier: Apache-2.0

/** Decoders in the shapes of well-known models, with random weights: an example, and a measure of speed. */
package io.github.attn4j.transformers.decoder;
