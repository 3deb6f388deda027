// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;
import java.util.Random;

/**
 * Keys or values [batch, kvHeads, keys, dim] as they are stored: rounded, or INT8 with scales; and the numbers that are
 * meant by them, which are the truth that attention to them is compared with.
 */
public final class StoredRows {
    final Tensor rows;
    /** [batch, kvHeads, keys], null unless INT8. */
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
        int dim = (int) rows.size(3);
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
        // A gap behind each head's scales.
        Tensor scales = scope.zeros(DType.FLOAT32, rows.size(0), rows.size(1), rows.size(2) + 1)
            .slice(2, 0, rows.size(2)).copyFrom(factors);
        return new StoredRows(rows.copyFrom(bytes), scales, meant);
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

    /** The same in pages of so many rows; what no key lies in is NaN. */
    StoredRows paged(TensorScope scope, long[] table, int pageRows) {
        long columns = rows.size(2) / pageRows;
        long pages = table.length + 3;
        Tensor all = scope.zeros(rows.dtype(), pages, rows.size(1), pageRows + 1, rows.size(3)).slice(2, 0, pageRows);
        Tensor factors = scales == null ? null : scope.zeros(DType.FLOAT32, pages, rows.size(1), pageRows);
        float[] nan = new float[(int) (factors == null ? all : factors).elements()];
        Arrays.fill(nan, Float.NaN);
        (factors == null ? all : factors).copyFrom(nan);
        for (int at = 0; at < table.length; at++) {
            long b = at / columns;
            long from = at % columns * pageRows;
            all.select(0, table[at]).copyFrom(rows.select(0, b).slice(1, from, from + pageRows));
            if (factors != null) {
                factors.select(0, table[at]).copyFrom(scales.select(0, b).slice(1, from, from + pageRows));
            }
        }
        return new StoredRows(all, factors, meant);
    }
}
