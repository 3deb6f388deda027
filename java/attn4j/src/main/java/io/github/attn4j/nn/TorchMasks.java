// SPDX-License-Identifier: Apache-2.0
// All that hides is one mask and all that is added one bias: what two masks hide is joined, what they add is summed. Of
// the dimensions batch, heads and queries the result has those that some mask tells apart. A float mask alone is what
// it is, without a copy.
package io.github.attn4j.nn;

import io.github.attn4j.internal.Masks;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;

/** PyTorch's two masks as the mask and the bias of attention, in memory of their own. Not thread-safe. */
final class TorchMasks implements AutoCloseable {
    private final Joined keep = new Joined(DType.BOOL);
    private final Joined bias = new Joined(DType.FLOAT32);
    private final LastView padded = new LastView(mask -> mask.reshape(mask.size(0), 1, 1, mask.size(1)));
    private final LastView paired;

    TorchMasks(long heads) {
        paired = new LastView(mask -> mask.rank() == 2 ? mask
            : mask.reshape(mask.size(0) / heads, heads, mask.size(1), mask.size(2)));
    }

    /** What is seen, or null for everything. A causal rule is needed here where keys at the end are seen by all. */
    Tensor keep(Tensor padding, Tensor pairs, boolean causal, Sizes sizes) {
        Tensor left = of(padding, DType.BOOL);
        Tensor right = of(pairs, DType.BOOL);
        if (left == null && right == null && !causal) {
            return null;
        }
        Tensor out = keep.room(left, right, causal, sizes);
        Masks.keep(view(left), view(right), sizes.heads(), causal, View.of(out, "mask"), sizes.extra());
        return out;
    }

    /** What is added, or null for nothing. */
    Tensor bias(Tensor padding, Tensor pairs, Sizes sizes) {
        Tensor left = of(padding, DType.FLOAT32);
        Tensor right = of(pairs, DType.FLOAT32);
        if (left == null && right == null) {
            return null;
        }
        if (sizes.extra() == 0 && (left == null || right == null)) {
            return left == null ? paired.of(right) : padded.of(left);
        }
        Tensor out = bias.room(left, right, false, sizes);
        Masks.bias(view(left), view(right), sizes.heads(), View.of(out, "bias"), sizes.extra());
        return out;
    }

    @Override
    public void close() {
        keep.memory.close();
        bias.memory.close();
    }

    private static Tensor of(Tensor mask, DType type) {
        return mask != null && mask.dtype() == type ? mask : null;
    }

    private static View view(Tensor mask) {
        return mask == null ? null : View.of(mask, "mask");
    }

    /** Sizes of a forward; `extra` keys stand behind the others. */
    record Sizes(long batch, long heads, long queries, long keys, long extra) {}

    /** Room for a result, kept while its shape stays the same. */
    private static final class Joined {
        final Scratch memory;
        private Tensor room;

        Joined(DType type) {
            memory = new Scratch(type);
        }

        Tensor room(Tensor padding, Tensor pairs, boolean causal, Sizes sizes) {
            boolean each = pairs != null && pairs.rank() == 3;
            long batch = padding != null || each ? sizes.batch : 1;
            long heads = each ? sizes.heads : 1;
            long queries = pairs != null || causal ? sizes.queries : 1;
            long columns = sizes.keys + sizes.extra;
            if (room == null || room.size(0) != batch || room.size(1) != heads || room.size(2) != queries
                || room.size(3) != columns) {
                room = null;
                room = memory.begin(batch * heads * queries * columns).take(batch, heads, queries, columns);
            }
            return room;
        }
    }
}
