// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import io.github.attn4j.Attn4j;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.transformers.ModelFiles;
import io.github.attn4j.transformers.SentenceEncoder;
import java.io.IOException;
import java.util.List;

/** attn4j-transformers: all sentences in one call. */
public final class Attn4jModel extends ModelContender {
    private final SentenceEncoder encoder;

    /** Loads the model. */
    public Attn4jModel(List<String> texts, int threads) throws IOException {
        super(texts);
        Attn4j.threads(threads);
        encoder = SentenceEncoder.builder(ModelFiles.onClassPath(Model.NAME))
                .maxTokens(Model.MAX_TOKENS)
                .threads(threads)
                .build();
    }

    @Override
    public void run() {
        vectors = encoder.encode(texts);
    }

    @Override
    public String describe() {
        return Attn4jTypes.describe();
    }

    @Override
    public void close() {
        encoder.close();
    }
}
