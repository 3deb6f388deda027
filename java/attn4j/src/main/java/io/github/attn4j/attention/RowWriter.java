// SPDX-License-Identifier: Apache-2.0
// One append at a time. All that can be refused is refused in begin, so that what follows cannot fail halfway.
package io.github.attn4j.attention;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Held;
import io.github.attn4j.internal.Rotary;
import io.github.attn4j.internal.RowAppend;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/** Writes rows of keys and values to where a cache keeps them. Not thread-safe; allocates nothing. */
final class RowWriter {
    private final CacheRows rows;
    private final RowAppend append;
    private View k;
    private View v;
    private View cos;
    private View sin;
    private View ids;

    RowWriter(CacheRows rows) {
        this.rows = rows;
        append = new RowAppend(rows.isa(), rows.threads());
    }

    /** Checks the rows of an append and holds their memory until {@link #end}. Their number is returned. */
    long begin(Tensor keys, Tensor values, long entries, String entriesName, KeyRotation rotation, Tensor positionIds) {
        View newKeys = rows.keys(keys, entries, entriesName);
        View newValues = rows.values(values, entries, entriesName);
        Check.size(newValues, "v", 2, newKeys.size(2), "k.size(2)");
        View cosines = rotation == null ? null : Check.rows(rotation.cos(), "cos", 2);
        View sines = rotation == null ? null : Check.rows(rotation.sin(), "sin", 2);
        View positions = positionIds == null ? null : Check.positionIds(positionIds, entries, newKeys.size(2));
        if (rotation != null) {
            Rotary.checkTables(cosines, sines);
            Rotary.checkWidth(cosines, rows.headDim());
        } else if (positionIds != null) {
            throw new IllegalArgumentException("positions are for a rotation: positions=" + positionIds
                + " rotation=null");
        }
        Held.acquire(newKeys, newValues, cosines, sines, positions);
        k = newKeys;
        v = newValues;
        cos = cosines;
        sin = sines;
        ids = positions;
        append.turning(cos, sin, rotation != null && rotation.interleaved(), ids);
        return k.size(2);
    }

    /** Refuses positions outside the tables; without position ids the rows of an entry follow `start`. */
    void checkPositions(long start) {
        if (ids != null) {
            Check.positions(ids, cos.size(0));
        } else if (cos != null) {
            Check.positions(start, k.size(2), cos.size(0));
        }
    }

    /**
     * Rows from `from` on of `entries` entries, to the rows from `row` on of as many blocks of the storage; the first of
     * them is at this position.
     */
    void write(long entry, long entries, long from, KeyValues storage, long block, long row, long count,
               long position) {
        append.keys(k, entry, entries, from, View.of(storage.k(), "k"), scales(storage.kScales()), block, row, count,
            position);
        append.values(v, entry, entries, from, View.of(storage.v(), "v"), scales(storage.vScales()), block, row, count);
    }

    /** Ends what {@link #begin} began; nothing of it is kept. */
    void end() {
        Held.release(k, v, cos, sin, ids);
        k = null;
        v = null;
        cos = null;
        sin = null;
        ids = null;
        append.turning(null, null, false, null);
    }

    private static View scales(Tensor tensor) {
        return tensor == null ? null : View.of(tensor, "scales");
    }
}
