// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.onnx;

import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** The attn_mask of the standard as a mask or bias of ours. */
final class Masks {
    private Masks() {}

    /** Adds it to the inputs; returns how many keys it leaves, as a shorter last dimension hides the rest. */
    static long add(TensorScope scratch, AttentionInputs inputs, Tensor mask, long keys) {
        boolean bool = mask.dtype() == DType.BOOL;
        if (!bool && !mask.dtype().isFloat()) {
            throw new IllegalArgumentException("attn_mask must be BOOL or floating-point: attn_mask=" + mask);
        }
        if (mask.rank() < 1 || mask.rank() > 4 || mask.size(-1) > keys) {
            throw new IllegalArgumentException("attn_mask must have rank 1 to 4 and at most total_sequence keys: "
                + "attn_mask=" + mask + " total_sequence=" + keys);
        }
        long masked = mask.size(-1);
        DType type = bool ? DType.BOOL : DType.FLOAT32;
        Tensor whole = mask;
        if (masked < keys || mask.dtype() != type || masked > 1 && mask.stride(-1) != 1) {
            long[] sizes = mask.shape().toArray();
            sizes[sizes.length - 1] = keys;
            whole = scratch.zeros(type, sizes);
            Tensor given = whole.slice(-1, 0, masked);
            if (bool) {
                given.copyFrom(mask);
            } else {
                given.castFrom(mask);
            }
        }
        if (bool) {
            inputs.mask(whole);
        } else {
            inputs.bias(whole);
        }
        return masked;
    }
}
