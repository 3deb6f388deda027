// SPDX-License-Identifier: Apache-2.0

/**
 * The demonstration: sentences, their vectors, what is alike, and the same through ONNX Runtime. It needs libraries
 * that are optional for users of {@link io.github.attn4j.transformers}: picocli, progressbar, XChart, ONNX Runtime, a
 * model.
 */
package io.github.attn4j.transformers.demo;
