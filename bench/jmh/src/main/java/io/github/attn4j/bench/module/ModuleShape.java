// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The sizes of self-attention with its projections, written {@code BATCHxROWSxWIDTH/HEADS}, such as 32x128x768/12. */
public record ModuleShape(int batch, int rows, int width, int heads) {
    private static final Pattern FORM = Pattern.compile("(\\d+)x(\\d+)x(\\d+)/(\\d+)");

    /**
     * Reads the written form.
     *
     * @param text as above
     * @return the shape
     */
    public static ModuleShape parse(String text) {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            throw new IllegalArgumentException("a shape is BATCHxROWSxWIDTH/HEADS: shape=" + text);
        }
        ModuleShape shape = new ModuleShape(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)),
                Integer.parseInt(m.group(3)), Integer.parseInt(m.group(4)));
        if (shape.width % shape.heads != 0) {
            throw new IllegalArgumentException("heads must divide width: width=" + shape.width + " heads="
                    + shape.heads);
        }
        return shape;
    }

    /** {@return the width of a head} */
    public int headDim() {
        return width / heads;
    }

    /** {@return useful floating-point operations of the four projections and of attention} */
    public double flops() {
        double all = (double) batch * rows;
        return 8 * all * width * width + 4 * all * rows * width;
    }
}
