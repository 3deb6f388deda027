// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;
import java.util.Random;

/**
 * Keys or values [batch, kvHeads, keys, dim], or ragged [totalKeys, kvHeads, dim], as they are stored: rounded, or INT8
 * with scales; and the numbers that are meant by them, which are the truth that attention to them is compared with.
 */
public final class StoredRows {
    final Tensor rows;
    /** [batch, kvHeads, keys] or [kvHeads, totalKeys], null unless INT8. */
    final Tensor scales;
    /** In the order of the keys. */
    final float[] meant;

    private StoredRows(Tensor rows, Tensor scales, float[] meant) {
        this.rows = rows;
        this.scales = scales;
        this.meant = meant;
    }

    /** Stores the numbers in a tensor of any type. */
    static StoredRows in(TensorScope scope, Tensor rows, float[] values) {
        if (rows.dtype() != DType.INT8) {
            rows.copyFrom(values);
            return new StoredRows(rows, null, rows.toFloatArray());
        }
        int dim = (int) rows.size(-1);
        byte[] bytes = new byte[values.length];
        float[] factors = new float[values.length / dim];
        float[] meant = new float[values.length];
        for (int row = 0; row < factors.length; row++) {
            float most = 0;
            for (int d = 0; d < dim; d++) {
                most = Math.max(most, Math.abs(values[row * dim + d]));
            }
            float scale = most / 127 < Float.MIN_NORMAL ? 0 : most / 127;
            factors[row] = scale;
            for (int i = row * dim; i < (row + 1) * dim && scale > 0; i++) {
                bytes[i] = (byte) Math.rint(values[i] / scale);
                meant[i] = bytes[i] * scale;
            }
        }
        rows.copyFrom(bytes);
        // A gap behind each head's scales.
        if (rows.rank() == 3) {
            Tensor scales = scope.zeros(DType.FLOAT32, rows.size(1), rows.size(0) + 1).slice(1, 0, rows.size(0));
            scales.transpose(0, 1).copyFrom(factors);
            return new StoredRows(rows, scales, meant);
        }
        Tensor scales = scope.zeros(DType.FLOAT32, rows.size(0), rows.size(1), rows.size(2) + 1)
            .slice(2, 0, rows.size(2)).copyFrom(factors);
        return new StoredRows(rows, scales, meant);
    }

    /** What a cache of a type gives back of these numbers, as FLOAT32. */
    public static Tensor meant(TensorScope scope, Tensor values, DType type) {
        long[] sizes = values.shape().toArray();
        float[] meant = in(scope, scope.zeros(type, sizes), values.toFloatArray()).meant;
        return scope.of(meant, sizes);
    }

    /** A page of its own for each place in a table [batch, columns], in any order, and some that none has. */
    static long[] table(Random random, int places) {
        long[] table = new long[places + 3];
        for (int page = 0; page < table.length; page++) {
            int at = random.nextInt(page + 1);
            table[page] = table[at];
            table[at] = page;
        }
        return Arrays.copyOf(table, places);
    }

    /**
     * The same in pages of so many rows, as many for each sequence, whose keys begin where the cumulative lengths say;
     * what no key lies in is NaN.
     */
    StoredRows paged(TensorScope scope, long[] table, int pageRows, long[] cuKeys) {
        long columns = table.length / Math.max(1, cuKeys.length - 1);
        long pages = table.length + 3;
        Tensor all = scope.zeros(rows.dtype(), pages, rows.size(1), pageRows + 1, rows.size(-1)).slice(2, 0, pageRows);
        Tensor factors = scales == null ? null : scope.zeros(DType.FLOAT32, pages, rows.size(1), pageRows);
        float[] nan = new float[(int) (factors == null ? all : factors).elements()];
        Arrays.fill(nan, Float.NaN);
        (factors == null ? all : factors).copyFrom(nan);
        for (int at = 0; at < table.length; at++) {
            int b = (int) (at / columns);
            long from = at % columns * pageRows;
            long count = Math.min(pageRows, cuKeys[b + 1] - cuKeys[b] - from);
            if (count <= 0) {
                continue;
            }
            all.select(0, table[at]).slice(1, 0, count)
                .copyFrom(sequence(rows, b, cuKeys).slice(1, from, from + count));
            if (factors != null) {
                factors.select(0, table[at]).slice(1, 0, count)
                    .copyFrom(sequence(scales, b, cuKeys).slice(1, from, from + count));
            }
        }
        return new StoredRows(all, factors, meant);
    }

    /** Of rows or scales those of a sequence, [kvHeads, keys, dim] or [kvHeads, keys]. */
    private Tensor sequence(Tensor all, int b, long[] cuKeys) {
        return rows.rank() == 4 ? all.select(0, b)
            : all == rows ? rows.transpose(0, 1).slice(1, cuKeys[b], cuKeys[b + 1])
            : scales.slice(1, cuKeys[b], cuKeys[b + 1]);
    }
}
