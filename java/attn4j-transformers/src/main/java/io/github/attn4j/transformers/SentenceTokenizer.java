// SPDX-License-Identifier: Apache-2.0
// Texts to token ids by a tokenizer.json, through the Hugging Face tokenizers library. Any number of threads may use
// it. The library is kept off the network: it would otherwise ask the machine where it runs and report home once a day.
package io.github.attn4j.transformers;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

final class SentenceTokenizer implements AutoCloseable {
    /** A text cut up: the ids of its tokens, how they are written, and the words they are pieces of. */
    record Pieces(int[] ids, List<String> tokens, List<TextAttention.Word> words) {}

    private static final String OFFLINE = "ai.djl.offline";
    private static final int REPLACEMENT = 0xFFFD;

    /** Fewer texts are done before the library's threads wake, which then take processors from what follows. */
    private static final int LEAST_IN_PARALLEL = 16;

    private final HuggingFaceTokenizer tokenizer;
    private final boolean parallel;

    /** Cuts after {@code maxTokens} tokens; whatever padding and cutting the file itself asks for is overruled. */
    SentenceTokenizer(ModelFiles files, int maxTokens, boolean parallel) throws IOException {
        this.parallel = parallel;
        Map<String, String> options = Map.of(
                "padding", "false", "truncation", "true", "maxLength", Integer.toString(maxTokens), "modelMaxLength",
                Integer.toString(maxTokens));
        try (ModelFiles.Opened file = files.tokenizer().open()) {
            tokenizer = offline(() -> HuggingFaceTokenizer.newInstance(file.stream(), options));
        } catch (RuntimeException e) {
            throw new IOException(files.tokenizerName() + ": not a tokenizer.json that the Hugging Face tokenizers"
                    + " library reads: " + e.getMessage(), e);
        }
    }

    /** Token ids of each text, with the model's special tokens around them. */
    List<int[]> tokenize(List<String> texts) {
        List<int[]> all = new ArrayList<>(texts.size());
        if (parallel && texts.size() >= LEAST_IN_PARALLEL) {
            for (Encoding encoding : tokenizer.batchEncode(texts)) {
                all.add(ids(encoding));
            }
        } else {
            for (String text : texts) {
                all.add(ids(tokenizer.encode(text)));
            }
        }
        return all;
    }

    /** The same tokens as {@link #tokenize} gives, with their words. */
    Pieces pieces(String text) {
        // Half a surrogate pair would shift the places that the library counts, by code points, in what follows it.
        int[] points = text.codePoints()
                .map(point -> Character.getType(point) == Character.SURROGATE ? REPLACEMENT : point)
                .toArray();
        Encoding encoding = tokenizer.encode(new String(points, 0, points.length));
        CharSpan[] places = encoding.getCharTokenSpans();
        long[] wordOf = encoding.getWordIds();
        List<TextAttention.Word> words = new ArrayList<>();
        int from = 0;
        for (int token = 1; token <= wordOf.length; token++) {
            if (token == wordOf.length || wordOf[token] != wordOf[from]) {
                if (wordOf[from] >= 0 && places[from] != null) {
                    int start = places[from].getStart();
                    String word = new String(points, start, places[token - 1].getEnd() - start);
                    words.add(new TextAttention.Word(word, new TokenSpan(from, token)));
                }
                from = token;
            }
        }
        return new Pieces(ids(encoding), List.of(encoding.getTokens()), words);
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    private static int[] ids(Encoding encoding) {
        long[] ids = encoding.getIds();
        int[] narrow = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            narrow[i] = (int) ids[i];
        }
        return narrow;
    }

    /** What may fail to open. */
    @FunctionalInterface
    private interface Opening {
        HuggingFaceTokenizer open() throws IOException;
    }

    /** The library knows only a system property; it is set for the moment of opening, unless the user has set it. */
    private static synchronized HuggingFaceTokenizer offline(Opening opening) throws IOException {
        String before = System.getProperty(OFFLINE);
        if (before == null) {
            System.setProperty(OFFLINE, "true");
        }
        try {
            return opening.open();
        } finally {
            if (before == null) {
                System.clearProperty(OFFLINE);
            }
        }
    }
}
