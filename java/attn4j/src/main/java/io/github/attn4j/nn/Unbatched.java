// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;

/**
 * Inputs of a {@link TorchMultiheadAttention} without a batch, [rows, width], as a batch of one, and the results back.
 */
final class Unbatched {
    private Unbatched() {}

    static TorchInputs batched(TorchInputs in, int batchDim) {
        Tensor query = one(in.query, "query", 2, batchDim);
        Tensor key = in.key == in.query ? query : one(in.key, "key", 2, batchDim);
        Tensor value = in.value == in.key ? key : one(in.value, "value", 2, batchDim);
        Tensor padding = in.keyPaddingMask == null ? null : one(in.keyPaddingMask, "keyPaddingMask", 1, 0);
        return in.copy().operands(query, key, value, null).keyPaddingMask(padding);
    }

    static WeightedOutput unbatched(WeightedOutput one, int batchDim) {
        return new WeightedOutput(one.out().select(batchDim, 0),
            one.weights() == null ? null : one.weights().select(0, 0));
    }

    private static Tensor one(Tensor tensor, String name, int rank, int dim) {
        Check.rank(View.of(tensor, name), name, rank);
        long[] sizes = tensor.shape().toArray();
        long[] more = Arrays.copyOf(sizes, rank + 1);
        System.arraycopy(sizes, dim, more, dim + 1, rank - dim);
        more[dim] = 1;
        return tensor.reshape(more);
    }
}
