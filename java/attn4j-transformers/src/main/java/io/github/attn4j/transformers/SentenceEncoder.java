// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import io.github.attn4j.Attn4j;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.onnx.OnnxFormatException;
import io.github.attn4j.transformers.onnx.OnnxWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Turns sentences into vectors whose dot product says how alike they are. Thread-safe: any number of threads may encode
 * at once; {@link #close} waits for them.
 *
 * <p>It runs a BERT encoder with mean pooling over all tokens and normalisation to length 1, as all-MiniLM-L6-v2 and
 * e5 are trained for (models trained for the vector of the first token, such as bge, need another pooling). Sentences
 * of different lengths are packed end to end, so that no work is done on padding, and long lists are worked off in
 * passes of bounded size. A sentence's vector does not depend on the others in the list, up to rounding.
 *
 * <pre>{@code
 * try (SentenceEncoder encoder = SentenceEncoder.load("all-minilm-l6-v2")) {
 *     float[][] vectors = encoder.encode(List.of("How do I bake bread?", "A recipe for a loaf"));
 * }
 * }</pre>
 *
 * <p>While a tokenizer is opened, and only then, the system property {@code ai.djl.offline} is {@code true}, unless it
 * was set before: the tokenizer library is not to use the network.
 */
public final class SentenceEncoder implements AutoCloseable {
    private static final int TOKENIZED_AT_ONCE = 512;
    private static final int PASS_TOKENS_A_THREAD = 512;

    private final SentenceTokenizer tokenizer;
    private final BertEncoder encoder;
    private final int maxTokens;
    private final ReadWriteLock inUse = new ReentrantReadWriteLock();
    private boolean closed;

    private SentenceEncoder(Builder options) throws IOException {
        encoder = readModel(options);
        try {
            int positions = encoder.config().positions();
            if (options.maxTokens > positions) {
                throw new IllegalArgumentException("maxTokens must not exceed the model's positions: maxTokens="
                        + options.maxTokens + " positions=" + positions);
            }
            maxTokens = options.maxTokens == 0 ? positions : options.maxTokens;
            tokenizer = new SentenceTokenizer(options.files, maxTokens, options.threads != 1);
        } catch (IOException | RuntimeException e) {
            encoder.close();
            throw e;
        }
    }

    /**
     * Loads a model from the class path, with the defaults of the {@link #builder builder}.
     *
     * @param name such as {@code all-minilm-l6-v2}; see {@link ModelFiles#onClassPath}
     * @return the encoder, to be closed by the caller
     * @throws IOException if a file is missing or cannot be read
     * @throws OnnxFormatException if the model is damaged or of another kind
     */
    public static SentenceEncoder load(String name) throws IOException {
        return builder(ModelFiles.onClassPath(name)).build();
    }

    /**
     * Loads a model from two files, with the defaults of the {@link #builder builder}.
     *
     * @param onnx the model, a float32 BERT encoder
     * @param tokenizerJson its tokenizer
     * @return the encoder, to be closed by the caller
     * @throws IOException if a file is missing or cannot be read
     * @throws OnnxFormatException if the model is damaged or of another kind
     */
    public static SentenceEncoder load(Path onnx, Path tokenizerJson) throws IOException {
        return builder(ModelFiles.of(onnx, tokenizerJson)).build();
    }

    /**
     * An encoder with options.
     *
     * @param files where the model is
     * @return a builder with all defaults
     */
    public static Builder builder(ModelFiles files) {
        return new Builder(files);
    }

    /**
     * The length of every vector.
     *
     * @return the model's hidden size, 384 for all-MiniLM-L6-v2
     */
    public int dimension() {
        return encoder.config().hidden();
    }

    /**
     * The most tokens of a text that count, its two special tokens included; the rest is cut off.
     *
     * @return tokens
     */
    public int maxTokens() {
        return maxTokens;
    }

    /**
     * The token ids a text is encoded from, special tokens included.
     *
     * @param texts any texts; one longer than {@link #maxTokens} is cut
     * @return ids for each text
     * @throws NullPointerException if the list or a text is null
     * @throws IllegalStateException if this encoder is closed
     */
    public List<int[]> tokenize(List<String> texts) {
        checkTexts(texts);
        return use(() -> tokenizer.tokenize(texts));
    }

    /**
     * Encodes one text.
     *
     * @param text any text; the empty one has a vector too
     * @return its vector, {@link #dimension} numbers of length 1
     * @throws NullPointerException if the text is null
     * @throws IllegalStateException if this encoder is closed
     */
    public float[] encode(String text) {
        return encode(List.of(text))[0];
    }

    /**
     * Encodes texts.
     *
     * @param texts any number of texts of any lengths
     * @return their vectors in the same order, {@code [texts.size()][dimension()]}
     * @throws NullPointerException if the list or a text is null
     * @throws IllegalStateException if this encoder is closed
     */
    public float[][] encode(List<String> texts) {
        checkTexts(texts);
        return use(() -> {
            float[][] vectors = new float[texts.size()][];
            for (int from = 0; from < texts.size(); from += TOKENIZED_AT_ONCE) {
                int to = Math.min(texts.size(), from + TOKENIZED_AT_ONCE);
                encoder.encode(tokenizer.tokenize(texts.subList(from, to)), vectors, from);
            }
            return vectors;
        });
    }

    /**
     * Encodes one text and gives the weights of every head, which encoding never stores. They take layers x heads x
     * tokens x tokens x 4 bytes: 72 KiB for 16 tokens in all-MiniLM-L6-v2, and 72 MiB for 512.
     *
     * @param scope owns the weights
     * @param text any text; one longer than {@link #maxTokens} is cut
     * @return its tokens, words and weights
     * @throws NullPointerException if the scope or the text is null
     * @throws IllegalStateException if this encoder or the scope is closed
     */
    public TextAttention attention(TensorScope scope, String text) {
        Objects.requireNonNull(scope, "scope");
        Objects.requireNonNull(text, "text");
        return use(() -> {
            SentenceTokenizer.Pieces pieces = tokenizer.pieces(text);
            return new TextAttention(pieces.tokens(), pieces.words(), encoder.attention(scope, pieces.ids()));
        });
    }

    /** Waits for running calls, then frees the model. Closing twice is harmless. */
    @Override
    public void close() {
        inUse.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                tokenizer.close();
                encoder.close();
            }
        } finally {
            inUse.writeLock().unlock();
        }
    }

    private <T> T use(Supplier<T> work) {
        inUse.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("this SentenceEncoder is closed");
            }
            return work.get();
        } finally {
            inUse.readLock().unlock();
        }
    }

    private static void checkTexts(List<String> texts) {
        Objects.requireNonNull(texts, "texts");
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i) == null) {
                throw new NullPointerException("texts must not be null: texts[" + i + "]");
            }
        }
    }

    private static BertEncoder readModel(Builder options) throws IOException {
        try (ModelFiles.Opened file = options.files.model().open()) {
            OnnxWeights weights = OnnxWeights.read(file.stream(), file.size(), options.files.modelName());
            int threads = options.threads == 0 ? Attn4j.threads() : options.threads;
            int passTokens = options.passTokens == 0 ? PASS_TOKENS_A_THREAD * Math.max(2, threads) : options.passTokens;
            return new BertEncoder(weights, options.threads, passTokens);
        }
    }

    /** Options of a {@link SentenceEncoder}. Not thread-safe. */
    public static final class Builder {
        private final ModelFiles files;
        private int threads;
        private int maxTokens;
        private int passTokens;

        private Builder(ModelFiles files) {
            this.files = Objects.requireNonNull(files, "files");
        }

        /**
         * The most threads that work on one call. With 1 a call never leaves the calling thread.
         *
         * @param threads at least 1; all of attn4j's pool if not set
         * @return this
         */
        public Builder threads(int threads) {
            this.threads = positive("threads", threads);
            return this;
        }

        /**
         * Where a text is cut.
         *
         * @param maxTokens at least 3, at most the model's positions, which is the default
         * @return this
         */
        public Builder maxTokens(int maxTokens) {
            if (maxTokens < 3) {
                throw new IllegalArgumentException("maxTokens must be at least 3: maxTokens=" + maxTokens);
            }
            this.maxTokens = maxTokens;
            return this;
        }

        /**
         * The most tokens worked on at once, over all texts of a call. More takes more memory, about 14 KiB a token for
         * a model of 384 features, and falls out of the caches; less may leave threads idle.
         *
         * @param passTokens at least 1; if not set 512 for each thread, and 1024 at least; a text of the model's
         *     greatest length always fits
         * @return this
         */
        public Builder passTokens(int passTokens) {
            this.passTokens = positive("passTokens", passTokens);
            return this;
        }

        /**
         * Reads the model.
         *
         * @return the encoder, to be closed by the caller
         * @throws IllegalArgumentException if maxTokens exceeds the model's positions
         * @throws IOException if a file is missing or cannot be read
         * @throws OnnxFormatException if the model is damaged or of another kind
         */
        public SentenceEncoder build() throws IOException {
            return new SentenceEncoder(this);
        }

        private static int positive(String name, int value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " must be at least 1: " + name + "=" + value);
            }
            return value;
        }
    }
}
