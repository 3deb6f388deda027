// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;

/**
 * The attention of a forward, dropping and writing weights or not, of whole slices of the batch or of the rest. Each
 * has the plan of its last run.
 */
final class Attentions {
    private final Blueprint blueprint;
    private final Attention[] made = new Attention[8];

    Attentions(Blueprint blueprint) {
        this.blueprint = blueprint;
    }

    Attention of(boolean dropping, boolean writing, boolean rest) {
        int which = (rest ? 4 : 0) + (dropping ? 2 : 0) + (writing ? 1 : 0);
        if (made[which] == null) {
            made[which] = blueprint.attention(dropping, writing);
        }
        return made[which];
    }
}
