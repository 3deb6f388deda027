// SPDX-License-Identifier: Apache-2.0

/** Weights in files: the safetensors format, read and written. */
package io.github.attn4j.io;
