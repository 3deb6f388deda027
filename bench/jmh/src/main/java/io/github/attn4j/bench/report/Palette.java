// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.awt.Color;
import java.util.Arrays;
import java.util.List;

/** A library has one colour in all pictures, its contenders shades of it, with or without a JVM. */
final class Palette {
    private static final double STEP = 0.15;
    private static final int WHITE = 255;

    private Palette() {}

    private enum Library {
        ATTN4J("attn4j", 0x08519C, "-f32", "-bf16", "-f16", "-cache-f32", "-cache-bf16", "-unplanned"),
        PYTORCH("pytorch", 0xD94801, "-f32", "-bf16", "-nn-f32", "-sdpa-f32", "-sdpa-bf16"),
        ONNX_RUNTIME("onnxruntime", 0x006D2C, "", "-attention", "-mha", "-gqa"),
        DJL("djl", 0x6A51A3, ""),
        OPENBLAS("openblas", 0x8C6D31, ""),
        LANGCHAIN4J("langchain4j", 0xCE1256, ""),
        JAVA("java", 0x525252, ""),
        VECTOR_API("vector", 0xE6AB02, "");

        private final String name;
        private final Color colour;
        private final List<String> contenders;

        Library(String name, int rgb, String... contenders) {
            this.name = name;
            this.colour = new Color(rgb);
            this.contenders = List.of(contenders);
        }
    }

    static Color colour(String contender) {
        String name = contender.replace(Cell.NATIVE, "").replaceAll("@.*", "");
        return Arrays.stream(Library.values())
                .filter(library -> name.startsWith(library.name))
                .findFirst()
                .map(library -> lighter(library.colour, STEP
                        * Math.max(0, library.contenders.indexOf(name.substring(library.name.length())))))
                .orElse(Color.LIGHT_GRAY);
    }

    private static Color lighter(Color colour, double white) {
        return new Color(lighter(colour.getRed(), white), lighter(colour.getGreen(), white),
                lighter(colour.getBlue(), white));
    }

    private static int lighter(int part, double white) {
        return (int) Math.round(part + (WHITE - part) * white);
    }
}
