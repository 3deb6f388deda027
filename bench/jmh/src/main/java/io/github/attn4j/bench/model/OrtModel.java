// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import ai.onnxruntime.OrtException;
import io.github.attn4j.transformers.ModelFiles;
import io.github.attn4j.transformers.SentenceEncoder;
import io.github.attn4j.transformers.demo.OrtEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** ONNX Runtime on the published model, in batches padded to their longest sentence; the tokenizer is attn4j's. */
public final class OrtModel extends ModelContender {
    private final SentenceEncoder tokenizer;
    private final OrtEncoder encoder;
    private final int threads;

    /** Loads the model. */
    public OrtModel(List<String> texts, int threads) throws IOException, OrtException {
        super(texts);
        this.threads = threads;
        tokenizer = SentenceEncoder.builder(ModelFiles.onClassPath(Model.NAME)).threads(threads).build();
        try (InputStream model = OrtModel.class.getResourceAsStream("/" + Model.NAME + ".onnx")) {
            encoder = new OrtEncoder(model.readAllBytes(), threads);
        }
    }

    @Override
    public void run() throws OrtException {
        vectors = encoder.encode(tokenizer.tokenize(texts));
    }

    @Override
    public String describe() {
        return "ONNX Runtime " + OrtEncoder.version() + ", threads=" + threads + ", batches of " + OrtEncoder.BATCH;
    }

    @Override
    public void close() throws OrtException {
        encoder.close();
        tokenizer.close();
    }
}
