// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;

/** The batch entries of the tensor that came last: for the same tensor again nothing is made. Not thread-safe. */
final class EntryViews {
    private Tensor source;
    private Tensor[] views = new Tensor[0];

    /** Entry b as a batch of one; null for null. */
    Tensor of(Tensor tensor, int b) {
        if (tensor == null) {
            return null;
        }
        if (tensor != source) {
            views = new Tensor[(int) tensor.size(0)];
            source = tensor;
        }
        if (views[b] == null) {
            views[b] = tensor.slice(0, b, b + 1);
        }
        return views[b];
    }
}
