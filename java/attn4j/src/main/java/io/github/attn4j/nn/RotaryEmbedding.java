// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.KeyRotation;
import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.Rotary;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;
import java.util.Objects;

/**
 * Rotary position embedding (RoPE, arXiv:2104.09864): of each row at position p, the pairs (a, b) become {@code (a cos
 * - b sin, b cos + a sin)} with the cosines and sines of p; numbers from rotaryDim on, which is twice the width of the
 * tables, stay as they are. Immutable and thread-safe; it keeps the tables, which must stay open.
 *
 * <p>x and out are [batch, heads, rows, headDim] of one floating-point type with innermost stride 1 and otherwise any
 * strides, so that a slice of a packed projection is turned in place. Sequences that lie end to end, [tokens, heads,
 * headDim], are a batch of one with position ids: {@code x.transpose(0, 1).reshape(1, heads, tokens, headDim)}.
 */
public final class RotaryEmbedding implements KeyRotation {
    /** Names for messages, made once: a run allocates nothing. */
    private static final String[] SIZES = {"x.size(0)", "x.size(1)", "x.size(2)", "x.size(3)"};

    private final Tensor cosines;
    private final Tensor sines;
    private final View cos;
    private final View sin;
    private final RotaryLayout layout;
    private final Isa isa;
    private final int threads;

    private RotaryEmbedding(Builder builder) {
        cos = Check.rows(builder.cos, "cos", 2);
        sin = Check.rows(builder.sin, "sin", 2);
        Rotary.checkTables(cos, sin);
        cosines = builder.cos;
        sines = builder.sin;
        layout = builder.layout;
        isa = builder.isa;
        threads = builder.threads;
    }

    /**
     * A builder.
     *
     * @param tables cosines and sines
     * @return the builder
     */
    public static Builder builder(RotaryTables tables) {
        return new Builder(tables.cos(), tables.sin());
    }

    /**
     * A builder.
     *
     * @param cos FLOAT32 [positions, rotaryDim / 2]
     * @param sin FLOAT32 [positions, rotaryDim / 2], of the same strides
     * @return the builder
     */
    public static Builder builder(Tensor cos, Tensor sin) {
        return new Builder(cos, sin);
    }

    @Override
    public Tensor cos() {
        return cosines;
    }

    @Override
    public Tensor sin() {
        return sines;
    }

    @Override
    public boolean interleaved() {
        return layout == RotaryLayout.PAIRS;
    }

    /**
     * Turns rows whose positions follow each other, the same for each batch entry.
     *
     * @param x [batch, heads, rows, headDim]
     * @param out [batch, heads, rows, headDim], may be x
     * @param start the position of row 0
     * @throws IllegalArgumentException if the tensors do not fit, or a position is outside the tables; nothing was
     *     written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out, long start) {
        View in = checked(x, out);
        Check.positions(start, in.size(2), cos.size(0));
        Rotary.run(in, View.of(out, "out"), layout.ordinal(), cos, sin, start, null, null, isa, threads);
    }

    /**
     * Turns rows at any positions.
     *
     * @param x [batch, heads, rows, headDim]
     * @param out [batch, heads, rows, headDim], may be x
     * @param positionIds INT64 [batch, rows], or [1, rows] for all entries, with innermost stride 1
     * @throws IllegalArgumentException if the tensors do not fit, or a position is outside the tables; nothing was
     *     written then
     * @throws IllegalStateException if a scope is closed
     */
    public void run(Tensor x, Tensor out, Tensor positionIds) {
        View in = checked(x, out);
        View result = View.of(out, "out");
        View ids = Check.positionIds(positionIds, in.size(0), in.size(2));
        Check.disjoint(result, "out", ids, "positionIds");
        Rotary.run(in, result, layout.ordinal(), cos, sin, 0, ids, null, isa, threads);
    }

    /**
     * Turns rows whose positions follow each other, from another start for each batch entry.
     *
     * @param x [batch, heads, rows, headDim]
     * @param out [batch, heads, rows, headDim], may be x
     * @param starts contiguous INT64 [batch]: the positions of row 0
     * @throws IllegalArgumentException if the tensors do not fit, or a position is outside the tables; nothing was
     *     written then
     * @throws IllegalStateException if a scope is closed
     */
    public void runFrom(Tensor x, Tensor out, Tensor starts) {
        View in = checked(x, out);
        View result = View.of(out, "out");
        View first = Check.vector(starts, "starts", View.INT64, in.size(0), "batch");
        Check.disjoint(result, "out", first, "starts");
        Rotary.run(in, result, layout.ordinal(), cos, sin, 0, null, first, isa, threads);
    }

    private View checked(Tensor x, Tensor out) {
        View in = Check.floatRows(x, "x", 4);
        View result = Check.floatRows(out, "out", 4);
        Check.writable(result, "out");
        if (in.type != result.type) {
            throw new IllegalArgumentException("out must have the type of x: out.dtype=" + result.typeName()
                + " x.dtype=" + in.typeName());
        }
        for (int d = 0; d < 4; d++) {
            Check.size(result, "out", d, in.size(d), SIZES[d]);
        }
        Check.atLeast(1, in.size(1), "heads");
        Rotary.checkWidth(cos, in.size(3));
        Check.sameOrDisjoint(result, "out", in, "x");
        Check.disjoint(result, "out", cos, "cos");
        Check.disjoint(result, "out", sin, "sin");
        return in;
    }

    /** Options of a rotary embedding. */
    public static final class Builder extends LayerBuilder<Builder> {
        private final Tensor cos;
        private final Tensor sin;
        private RotaryLayout layout = RotaryLayout.HALVES;

        private Builder(Tensor cos, Tensor sin) {
            this.cos = cos;
            this.sin = sin;
        }

        /**
         * Which numbers are turned together, {@link RotaryLayout#HALVES} by default.
         *
         * @param pairing the layout
         * @return this
         */
        public Builder layout(RotaryLayout pairing) {
            layout = Objects.requireNonNull(pairing, "layout must not be null");
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the embedding
         * @throws IllegalArgumentException if cos and sin do not fit each other
         */
        public RotaryEmbedding build() {
            return new RotaryEmbedding(this);
        }
    }
}
