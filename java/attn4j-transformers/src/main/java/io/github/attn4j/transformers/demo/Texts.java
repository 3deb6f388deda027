// SPDX-License-Identifier: Apache-2.0
// The sentences the demonstration works on.
package io.github.attn4j.transformers.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

final class Texts {
    private Texts() {}

    /** The lines of a UTF-8 file that are not blank. */
    static List<String> file(Path file) throws IOException {
        return filled(Files.readAllLines(file));
    }

    static List<String> builtIn() throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                Texts.class.getResourceAsStream("sentences.txt"), StandardCharsets.UTF_8))) {
            return filled(reader.lines().toList());
        }
    }

    /** {@code count} texts: these from the start, over and over if they are too few. */
    static List<String> repeated(List<String> texts, int count) {
        List<String> all = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            all.add(texts.get(i % texts.size()));
        }
        return all;
    }

    private static List<String> filled(List<String> lines) {
        return lines.stream().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }
}
