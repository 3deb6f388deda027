// SPDX-License-Identifier: Apache-2.0

/** The attention operator, one-shot and planned. */
package io.github.attn4j.attention;
