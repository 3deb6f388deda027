// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The same model through ONNX Runtime's Java API, as its users run it: batches padded to their longest sentence, an
 * attention mask, mean pooling and normalisation afterwards. Not thread-safe.
 */
public final class OrtEncoder implements AutoCloseable {
    /** Sentences of a batch. */
    public static final int BATCH = 32;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    /**
     * Opens a session.
     *
     * @param model the contents of an ONNX file
     * @param threads that work on a batch
     * @throws OrtException if ONNX Runtime refuses it
     */
    public OrtEncoder(byte[] model, int threads) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            session = environment.createSession(model, options);
        }
    }

    /** {@return the version of ONNX Runtime} */
    public static String version() {
        return OrtEnvironment.getEnvironment().getVersion();
    }

    /**
     * Encodes sequences in batches of {@link #BATCH}.
     *
     * @param sequences token ids
     * @return one unit vector a sequence
     * @throws OrtException if ONNX Runtime fails
     */
    public float[][] encode(List<int[]> sequences) throws OrtException {
        List<float[]> all = new ArrayList<>(sequences.size());
        for (int from = 0; from < sequences.size(); from += BATCH) {
            encodeBatch(sequences.subList(from, Math.min(sequences.size(), from + BATCH)), all);
        }
        return all.toArray(new float[0][]);
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }

    private void encodeBatch(List<int[]> batch, List<float[]> all) throws OrtException {
        int longest = batch.stream().mapToInt(sequence -> sequence.length).max().orElse(0);
        LongBuffer ids = longs(batch.size() * longest);
        LongBuffer mask = longs(batch.size() * longest);
        for (int i = 0; i < batch.size(); i++) {
            int[] sequence = batch.get(i);
            for (int j = 0; j < sequence.length; j++) {
                ids.put(i * longest + j, sequence[j]);
                mask.put(i * longest + j, 1);
            }
        }
        long[] shape = {batch.size(), longest};
        try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, ids, shape);
                OnnxTensor maskTensor = OnnxTensor.createTensor(environment, mask, shape);
                OnnxTensor types = OnnxTensor.createTensor(environment, longs(batch.size() * longest), shape);
                OrtSession.Result result = session.run(
                        Map.of("input_ids", idTensor, "attention_mask", maskTensor, "token_type_ids", types))) {
            OnnxTensor states = (OnnxTensor) result.get(0);
            int hidden = (int) states.getInfo().getShape()[2];
            FloatBuffer values = states.getFloatBuffer();
            for (int i = 0; i < batch.size(); i++) {
                all.add(pooled(values, i * longest * hidden, batch.get(i).length, hidden));
            }
        }
    }

    private static float[] pooled(FloatBuffer states, int start, int tokens, int hidden) {
        float[] sum = new float[hidden];
        float[] row = new float[hidden];
        for (int token = 0; token < tokens; token++) {
            states.get(start + token * hidden, row);
            for (int i = 0; i < hidden; i++) {
                sum[i] += row[i];
            }
        }
        double squares = 0;
        for (float value : sum) {
            squares += (double) value * value;
        }
        float inverse = (float) (1 / Math.max(Math.sqrt(squares), 1e-12));
        for (int i = 0; i < hidden; i++) {
            sum[i] *= inverse;
        }
        return sum;
    }

    private static LongBuffer longs(int count) {
        return ByteBuffer.allocateDirect(count * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
    }
}
