// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/**
 * A mask or bias of some entries of a batch at a time, views of the tensor that came last: for the same tensor and
 * slices again nothing is made.
 */
final class MaskSlices {
    private Tensor source;
    private long entries;
    private Tensor[] slices;

    /** Of the slice of so many entries, or fewer at the end, that begins at `first`; null for null. */
    Tensor of(Tensor mask, long first, long each) {
        if (mask != source || each != entries) {
            boolean differs = mask != null && mask.rank() == 4 && mask.size(0) > Math.max(1, each);
            slices = differs ? new Tensor[(int) Slices.divideUp(mask.size(0), each)] : null;
            source = mask;
            entries = each;
        }
        if (slices == null) {
            return mask;
        }
        int slice = (int) (first / each);
        if (slices[slice] == null) {
            slices[slice] = mask.slice(0, first, Math.min(first + each, mask.size(0)));
        }
        return slices[slice];
    }
}
