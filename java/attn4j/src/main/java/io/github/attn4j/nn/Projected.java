// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.tensor.Tensor;

/**
 * The memory of a projection, seen as each step of a forward wants it; all are views of the same numbers.
 *
 * @param rows as the projection writes it: [batch, rows, width], or with the sequence first [rows, batch, width]
 * @param each one row a head, for a norm of each head: the same but [..., heads, headDim]
 * @param heads as attention reads it: [batch, heads, rows, headDim]
 */
record Projected(Tensor rows, Tensor each, Tensor heads) {
    static Projected of(Tensor rows, long heads, boolean batchFirst) {
        Tensor each = rows.reshape(rows.size(0), rows.size(1), heads, rows.size(2) / heads);
        return new Projected(rows, each, batchFirst ? each.transpose(1, 2) : each.permute(1, 2, 0, 3));
    }

    static Projected of(Tensor rows, long heads) {
        return of(rows, heads, true);
    }
}
