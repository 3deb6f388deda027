// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Layers;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** Rows of a table, looked up by number. Immutable and thread-safe; it keeps the table, which must stay open. */
public final class Embedding {
    private final View table;
    private final Isa isa;
    private final int threads;

    private Embedding(Builder builder) {
        table = Check.rows(builder.table, "table", 2);
        isa = builder.isa;
        threads = builder.threads;
    }

    /**
     * A builder.
     *
     * @param table FLOAT32 [tableRows, width]
     * @return the builder
     */
    public static Builder builder(Tensor table) {
        return new Builder(table);
    }

    /**
     * {@code out[r] = table[ids[r]]}.
     *
     * @param ids contiguous INT32 [rows], each in [0, tableRows)
     * @param out [rows, width]
     * @throws IllegalArgumentException if the tensors do not fit or an id is out of range; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor ids, Tensor out) {
        run(ids, out, false);
    }

    /**
     * {@code out[r] += table[ids[r]]}.
     *
     * @param ids contiguous INT32 [rows], each in [0, tableRows)
     * @param out [rows, width]
     * @throws IllegalArgumentException if the tensors do not fit or an id is out of range; nothing was written then
     * @throws IllegalStateException if a scope is closed
     */
    public void runAdding(Tensor ids, Tensor out) {
        run(ids, out, true);
    }

    /**
     * Looks up, with a new tensor as result.
     *
     * @param scope owns the result
     * @param ids contiguous INT32 [rows], each in [0, tableRows)
     * @return [rows, width]
     * @throws IllegalArgumentException if the ids do not fit
     * @throws IllegalStateException if a scope is closed
     */
    public Tensor apply(TensorScope scope, Tensor ids) {
        Tensor out = scope.zeros(DType.FLOAT32, Check.vector(ids, "ids", View.INT32).size(0), table.size(1));
        run(ids, out);
        return out;
    }

    private void run(Tensor ids, Tensor out, boolean accumulate) {
        View rows = Check.vector(ids, "ids", View.INT32);
        View result = Operands.output(out, rows.size(0), "ids.size(0)", table.size(1), "table.size(1)");
        Check.disjoint(result, "out", table, "table");
        Check.disjoint(result, "out", rows, "ids");
        Layers.embed(table, rows, result, accumulate, isa, threads);
    }

    /** Options of an embedding. */
    public static final class Builder extends LayerBuilder<Builder> {
        private final Tensor table;

        private Builder(Tensor table) {
            this.table = table;
        }

        /**
         * Checks the options.
         *
         * @return the layer
         * @throws IllegalArgumentException if the table is no FLOAT32 matrix
         */
        public Embedding build() {
            return new Embedding(this);
        }
    }
}
