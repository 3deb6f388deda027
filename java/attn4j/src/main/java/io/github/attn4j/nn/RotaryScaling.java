// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Rotary;

/**
 * How the frequencies of a rotary embedding are changed, so that a model works at more positions than it was trained
 * with. Immutable and thread-safe. Pair d's frequency, in radians a position, is {@code f = base^(-2d / rotaryDim)}; it
 * makes {@code originalPositions * f / (2 pi)} rotations within the positions of the training.
 */
public final class RotaryScaling {
    /** Frequencies as they are. */
    public static final RotaryScaling NONE = new RotaryScaling(Rotary.UNSCALED, 1, 0, 0, 0, 0);

    final int kind;
    final double factor;
    final long originalPositions;
    final double lowRotations;
    final double highRotations;
    final double attentionFactor;

    private RotaryScaling(int kind, double factor, long originalPositions, double lowRotations, double highRotations,
                          double attentionFactor) {
        if (!(factor >= 1 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("factor must be finite and at least 1: factor=" + factor);
        }
        this.kind = kind;
        this.factor = factor;
        this.originalPositions = originalPositions;
        this.lowRotations = lowRotations;
        this.highRotations = highRotations;
        this.attentionFactor = attentionFactor;
    }

    /**
     * Position interpolation (arXiv:2306.15595): {@code f / factor}.
     *
     * @param factor how many times more positions, at least 1
     * @return the scaling
     * @throws IllegalArgumentException if it is less or not finite
     */
    public static RotaryScaling linear(double factor) {
        return new RotaryScaling(Rotary.LINEAR, factor, 0, 0, 0, 0);
    }

    /**
     * NTK-aware: {@code base * factor^(rotaryDim / (rotaryDim - 2))} in place of the base. Needs a rotaryDim of 4 or
     * more.
     *
     * @param factor how many times more positions, at least 1
     * @return the scaling
     * @throws IllegalArgumentException if it is less or not finite
     */
    public static RotaryScaling ntk(double factor) {
        return new RotaryScaling(Rotary.NTK, factor, 0, 0, 0, 0);
    }

    /**
     * YaRN (arXiv:2309.00071): f for pairs of 32 and more rotations, {@code f / factor} for those of 1 and less, and in
     * between a mix that is linear in d; and cos and sin times {@code 0.1 ln(factor) + 1}.
     *
     * @param factor how many times more positions, at least 1
     * @param originalPositions positions of the training, at least 1
     * @return the scaling
     * @throws IllegalArgumentException if one is less or not finite
     */
    public static RotaryScaling yarn(double factor, long originalPositions) {
        return new RotaryScaling(Rotary.YARN, factor, Check.atLeast(1, originalPositions, "originalPositions"), 1, 32,
            0);
    }

    /**
     * Llama 3 (arXiv:2407.21783): f for pairs of 4 and more rotations, {@code f / factor} for those of 1 and less, and
     * in between a mix that is linear in the rotations.
     *
     * @param factor how many times more positions, at least 1
     * @param originalPositions positions of the training, at least 1
     * @return the scaling
     * @throws IllegalArgumentException if one is less or not finite
     */
    public static RotaryScaling llama3(double factor, long originalPositions) {
        return new RotaryScaling(Rotary.LLAMA3, factor, Check.atLeast(1, originalPositions, "originalPositions"), 1, 4,
            0);
    }

    /**
     * The same with other limits between what is interpolated and what is not, for YaRN and Llama 3.
     *
     * @param low rotations of the pairs that are fully interpolated, positive
     * @param high rotations of the pairs that are not, more than low
     * @return the scaling
     * @throws IllegalArgumentException if they are not so
     * @throws IllegalStateException if this scaling has no such limits
     */
    public RotaryScaling rotations(double low, double high) {
        if (highRotations == 0) {
            throw new IllegalStateException("only YaRN and Llama 3 scalings have limits of rotations: low=" + low
                + " high=" + high);
        }
        if (!(low > 0 && high > low && high < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("rotations must be finite and 0 < low < high: low=" + low + " high="
                + high);
        }
        return new RotaryScaling(kind, factor, originalPositions, low, high, attentionFactor);
    }

    /**
     * The same with another factor of cos and sin, which scales scores by its square.
     *
     * @param multiplier positive and finite
     * @return the scaling
     * @throws IllegalArgumentException if it is not
     */
    public RotaryScaling attentionFactor(double multiplier) {
        return new RotaryScaling(kind, factor, originalPositions, lowRotations, highRotations,
            Check.positive(multiplier, "attentionFactor"));
    }

    /**
     * The same with a mix that begins and ends between pairs, where YaRN rounds to pairs (Hugging Face's {@code
     * truncate: false}).
     *
     * @return the scaling
     * @throws IllegalStateException if this is no YaRN scaling
     */
    public RotaryScaling unrounded() {
        if (kind != Rotary.YARN && kind != Rotary.YARN_UNROUNDED) {
            throw new IllegalStateException("only a YaRN scaling rounds to pairs");
        }
        return new RotaryScaling(Rotary.YARN_UNROUNDED, factor, originalPositions, lowRotations, highRotations,
            attentionFactor);
    }
}
