// SPDX-License-Identifier: Apache-2.0

/**
 * Reads weights, and as much of the graph as is needed to name them, straight from an ONNX file into native tensors.
 */
package io.github.attn4j.transformers.onnx;
