// SPDX-License-Identifier: Apache-2.0

/**
 * Operators of the ONNX standard, so that a graph can be run, and checked against the standard, through this library.
 */
package io.github.attn4j.onnx;
