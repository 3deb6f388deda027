// SPDX-License-Identifier: Apache-2.0

/** The library as a whole. */
package io.github.attn4j;
