// SPDX-License-Identifier: Apache-2.0

/** Attention worked out by hand-sized numbers, to be run and to be read. */
package io.github.attn4j.transformers.lesson;
