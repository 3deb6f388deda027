// SPDX-License-Identifier: Apache-2.0
// One append at a time. All that can be refused is refused in begin, so that what follows cannot fail halfway.
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Rotary;
import io.github.attn4j.internal.RowAppend;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/** Writes rows of keys and values to where a cache keeps them. Not thread-safe; allocates nothing. */
final class RowWriter {
    private final CacheRows rows;
    private final RowAppend append;

    RowWriter(CacheRows rows) {
        this.rows = rows;
        append = new RowAppend(rows.isa(), rows.threads());
    }

    /** Checks the rows of an append and holds their memory until {@link #end}. Their number is returned. */
    long begin(Tensor keys, Tensor values, long entries, String entriesName, KeyRotation rotation, Tensor positionIds) {
        View k = rows.keys(keys, entries, entriesName);
        View v = rows.values(values, entries, entriesName);
        Check.size(v, "v", 2, k.size(2), "k.size(2)");
        View cos = rotation == null ? null : Check.rows(rotation.cos(), "cos", 2);
        View sin = rotation == null ? null : Check.rows(rotation.sin(), "sin", 2);
        View ids = positionIds == null ? null : Check.positionIds(positionIds, entries, k.size(2));
        if (rotation != null) {
            Rotary.checkTables(cos, sin);
            Rotary.checkWidth(cos, rows.headDim());
        } else if (positionIds != null) {
            throw new IllegalArgumentException("positions are for a rotation: positions=" + positionIds
                + " rotation=null");
        }
        append.begin(k, v, cos, sin, rotation != null && rotation.interleaved(), ids);
        return k.size(2);
    }

    /** Refuses positions outside the tables; without position ids the rows of an entry follow `start`. */
    void checkPositions(long start) {
        append.checkPositions(start);
    }

    /**
     * Rows from `from` on of `entries` entries, to the rows from `row` on of as many blocks of the storage; the first
     * of them is at this position.
     */
    void write(long entry, long entries, long from, KeyValues storage, long block, long row, long count,
               long position) {
        append.keys(entry, entries, from, View.of(storage.k(), "k"), scales(storage.kScales()), block, row, count,
            position);
        append.values(entry, entries, from, View.of(storage.v(), "v"), scales(storage.vScales()), block, row, count);
    }

    /** Ends what {@link #begin} began; nothing of it is kept. */
    void end() {
        append.end();
    }

    private static View scales(Tensor tensor) {
        return tensor == null ? null : View.of(tensor, "scales");
    }
}
