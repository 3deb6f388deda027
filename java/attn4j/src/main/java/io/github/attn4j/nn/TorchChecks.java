// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/**
 * What the inputs of a {@link TorchMultiheadAttention} must be, checked before anything is written. Allocates nothing.
 */
final class TorchChecks {
    private TorchChecks() {}

    static void check(TorchBlueprint blueprint, TorchInputs in) {
        int batchDim = blueprint.batchFirst ? 0 : 1;
        int rowDim = 1 - batchDim;
        View query = Operands.sequence(in.query, "query", blueprint.options.width);
        View key = Operands.sequence(in.key, "key", blueprint.kdim);
        View value = Operands.sequence(in.value, "value", blueprint.vdim);
        View out = Operands.sequence(in.out, "out", blueprint.options.width);
        long batch = query.size(batchDim);
        long queries = query.size(rowDim);
        long keys = key.size(rowDim);
        Check.size(key, "key", batchDim, batch, "batch");
        Check.size(value, "value", batchDim, batch, "batch");
        Check.size(value, "value", rowDim, keys, "keys");
        Check.size(out, "out", batchDim, batch, "batch");
        Check.size(out, "out", rowDim, queries, "queries");
        Check.writable(out, "out");
        if (in.keyPaddingMask != null) {
            View mask = mask(in.keyPaddingMask, "keyPaddingMask", 2, 2);
            Check.size(mask, "keyPaddingMask", 0, batch, "batch");
            Check.size(mask, "keyPaddingMask", 1, keys, "keys");
        }
        if (in.attnMask != null) {
            View mask = mask(in.attnMask, "attnMask", 2, 3);
            if (mask.rank() == 3) {
                Check.size(mask, "attnMask", 0, batch * blueprint.options.heads, "batch * heads");
            }
            Check.size(mask, "attnMask", mask.rank() - 2, queries, "queries");
            Check.size(mask, "attnMask", mask.rank() - 1, keys, "keys");
        }
        if (in.weights != null) {
            weights(blueprint, in.weights, query, out, batch, queries, keys);
        }
    }

    private static void weights(TorchBlueprint blueprint, Tensor tensor, View query, View out, long batch,
                                long queries, long keys) {
        View weights = Check.rows(tensor, "weights", tensor.rank() == 3 ? 3 : 4);
        Check.writable(weights, "weights");
        Check.size(weights, "weights", 0, batch, "batch");
        if (weights.rank() == 4) {
            Check.size(weights, "weights", 1, blueprint.options.heads, "heads");
        }
        Check.size(weights, "weights", weights.rank() - 2, queries, "queries");
        Check.size(weights, "weights", weights.rank() - 1, keys + blueprint.extra(), "keys and added rows");
        Check.disjoint(weights, "weights", out, "out");
    }

    private static View mask(Tensor mask, String name, int least, int most) {
        View view = View.of(mask, name);
        int rank = view.rank();
        if (view.type != View.BOOL && view.type != View.FLOAT32) {
            throw new IllegalArgumentException(name + " must be BOOL (true hides) or FLOAT32 (is added): dtype="
                + view.typeName());
        }
        if (rank < least || rank > most) {
            throw new IllegalArgumentException(name + " must have rank " + least + " to " + most + ": rank=" + rank
                + " shape=" + view.shape());
        }
        if (view.size(rank - 1) > 1 && view.stride(rank - 1) != 1) {
            throw new IllegalArgumentException(name + " must have innermost stride 1: stride(" + (rank - 1) + ")="
                + view.stride(rank - 1));
        }
        return view;
    }
}
