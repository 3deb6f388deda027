// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

/** Where query 0 stands among the keys when a run gives no offsets. */
public enum Alignment {
    /** The last query sees the last key, as at the end of a cache: offset = keys - queries. */
    BOTTOM_RIGHT,
    /** The first query sees the first key only: offset = 0. */
    TOP_LEFT
}
