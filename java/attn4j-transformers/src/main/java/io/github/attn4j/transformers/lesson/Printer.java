// SPDX-License-Identifier: Apache-2.0
// Prints a lesson: headings, text, and matrices with their names and shapes. A matrix is a line with its name, a line
// for each row with 4 decimals, and an empty one.
package io.github.attn4j.transformers.lesson;

import io.github.attn4j.tensor.Tensor;
import java.io.PrintStream;
import java.util.Locale;

final class Printer {
    private final PrintStream out;

    Printer(PrintStream out) {
        this.out = out;
    }

    void heading(String text) {
        out.printf("%n%s%n%s%n%n", text, "=".repeat(text.length()));
    }

    void text(String... lines) {
        for (String line : lines) {
            out.println(line);
        }
        out.println();
    }

    /** {@code meaning} names the two dimensions of the matrix. */
    void matrix(String name, String meaning, Tensor matrix) {
        out.printf("    %s   %s = %s%n", name, meaning, matrix.shape());
        for (long row = 0; row < matrix.size(0); row++) {
            StringBuilder line = new StringBuilder("    ");
            for (float value : matrix.select(0, row).toFloatArray()) {
                line.append(String.format(Locale.ROOT, "%10.4f", value));
            }
            out.println(line);
        }
        out.println();
    }
}
