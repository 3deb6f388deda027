// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.Ort;
import io.github.attn4j.transformers.ModelFiles;
import io.github.attn4j.transformers.SentenceEncoder;
import io.github.attn4j.transformers.demo.OrtEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * ONNX Runtime on the published model, in batches of sentences of about the same length, which it pads to the longest;
 * the tokenizer is attn4j's.
 */
public final class OrtModel extends ModelContender {
    /** Faster than one at a time, than 8 and than 32, of 32 sentences as of 256. */
    private static final int BATCH = 4;

    private final SentenceEncoder tokenizer;
    private final OrtEncoder encoder;
    private final int threads;

    /** Loads the model. */
    public OrtModel(List<String> texts, int threads) throws IOException, OrtException {
        super(texts);
        this.threads = threads;
        tokenizer = SentenceEncoder.builder(ModelFiles.onClassPath(Model.NAME))
                .maxTokens(Model.MAX_TOKENS)
                .threads(threads)
                .build();
        try (InputStream model = OrtModel.class.getResourceAsStream("/" + Model.NAME + ".onnx")) {
            encoder = new OrtEncoder(model.readAllBytes(), threads);
        }
    }

    @Override
    public void run() throws OrtException {
        List<int[]> sequences = tokenizer.tokenize(texts);
        List<Integer> byLength = IntStream.range(0, sequences.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> sequences.get(i).length))
                .toList();
        vectors = new float[sequences.size()][];
        for (int from = 0; from < byLength.size(); from += BATCH) {
            List<Integer> batch = byLength.subList(from, Math.min(byLength.size(), from + BATCH));
            float[][] encoded = encoder.encode(batch.stream().map(sequences::get).toList());
            for (int i = 0; i < encoded.length; i++) {
                vectors[batch.get(i)] = encoded[i];
            }
        }
    }

    @Override
    public String describe() {
        return Ort.describe(threads) + ", sentences sorted by length in batches of " + BATCH;
    }

    @Override
    public void close() throws OrtException {
        encoder.close();
        tokenizer.close();
    }
}
