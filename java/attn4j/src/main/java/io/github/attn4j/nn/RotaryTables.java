// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Rotary;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Objects;

/**
 * The cosines and sines of a rotary embedding, of angles in double precision. Immutable and thread-safe.
 *
 * @param cos FLOAT32 [positions, rotaryDim / 2]
 * @param sin FLOAT32 [positions, rotaryDim / 2]
 */
public record RotaryTables(Tensor cos, Tensor sin) {
    /**
     * A builder.
     *
     * @param rotaryDim how many numbers of a row are turned, even and at least 2
     * @return the builder
     * @throws IllegalArgumentException if it is odd or less
     */
    public static Builder builder(long rotaryDim) {
        return new Builder(rotaryDim);
    }

    /** Options of the tables. */
    public static final class Builder {
        private final long rotaryDim;
        private double base = 10_000;
        private RotaryScaling scaling = RotaryScaling.NONE;
        private long firstPosition;

        private Builder(long rotaryDim) {
            if (rotaryDim < 2 || rotaryDim % 2 != 0) {
                throw new IllegalArgumentException("rotaryDim must be even and at least 2: rotaryDim=" + rotaryDim);
            }
            this.rotaryDim = rotaryDim;
        }

        /**
         * The base of the frequencies, 10000 by default ("rope_theta").
         *
         * @param value finite and greater than 1
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder base(double value) {
            if (!(value > 1 && value < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("base must be finite and greater than 1: base=" + value);
            }
            base = value;
            return this;
        }

        /**
         * The scaling of the frequencies, none by default.
         *
         * @param change linear, NTK, YaRN or Llama 3
         * @return this
         */
        public Builder scaling(RotaryScaling change) {
            scaling = Objects.requireNonNull(change, "scaling must not be null");
            return this;
        }

        /**
         * The position of the first row, 0 by default.
         *
         * @param position at least 0
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder firstPosition(long position) {
            firstPosition = Check.atLeast(0, position, "firstPosition");
            return this;
        }

        /**
         * Computes the tables.
         *
         * @param scope owns them
         * @param positions how many rows
         * @return the tables
         * @throws IllegalArgumentException if positions is negative, or NTK scaling has a rotaryDim below 4
         * @throws IllegalStateException if the scope is closed
         */
        public RotaryTables build(TensorScope scope, long positions) {
            Check.atLeast(0, positions, "positions");
            if (scaling.kind == Rotary.NTK && rotaryDim < 4) {
                throw new IllegalArgumentException("rotaryDim must be at least 4 with NTK scaling: rotaryDim="
                    + rotaryDim);
            }
            Tensor cos = scope.zeros(DType.FLOAT32, positions, rotaryDim / 2);
            Tensor sin = scope.zeros(DType.FLOAT32, positions, rotaryDim / 2);
            Rotary.tables(View.of(cos, "cos"), View.of(sin, "sin"), firstPosition, base, scaling.kind, scaling.factor,
                scaling.originalPositions, scaling.lowRotations, scaling.highRotations, scaling.attentionFactor);
            return new RotaryTables(cos, sin);
        }
    }
}
