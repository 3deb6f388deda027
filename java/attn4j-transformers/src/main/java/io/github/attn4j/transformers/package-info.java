// SPDX-License-Identifier: Apache-2.0

/**
 * Real models on attn4j: {@link io.github.attn4j.transformers.SentenceEncoder} turns sentences into vectors with the
 * weights of a published ONNX file.
 */
package io.github.attn4j.transformers;
