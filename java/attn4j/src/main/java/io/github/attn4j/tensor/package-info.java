// SPDX-License-Identifier: Apache-2.0

/** Tensors over native memory, and the scopes that own it. */
package io.github.attn4j.tensor;
