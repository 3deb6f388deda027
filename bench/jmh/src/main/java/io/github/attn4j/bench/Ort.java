// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs are made once over direct memory and the outputs pinned, so that a run copies nothing: the way
// ONNX Runtime's documentation advises where speed counts.
package io.github.attn4j.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** A session over a graph, and its operands. Not thread-safe. */
public final class Ort implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private final int threads;

    /** Opens a session over a model with all optimizations. */
    public Ort(byte[] model, int threads) throws OrtException {
        this.threads = threads;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            session = environment.createSession(model, options);
        }
    }

    /** {@return a float32 tensor over direct memory with a copy of these numbers} */
    public OnnxTensor tensor(float[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(environment, Numbers.direct(values), shape);
    }

    /** Adds a float32 input. */
    public Ort input(String name, float[] values, long... shape) throws OrtException {
        return input(name, tensor(values, shape));
    }

    /** Adds an int32 input. */
    public Ort input(String name, int[] values, long... shape) throws OrtException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(values.length * Integer.BYTES).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(values);
        return input(name, OnnxTensor.createTensor(environment, bytes.asIntBuffer(), shape));
    }

    /** Adds an input. */
    public Ort input(String name, OnnxTensor tensor) {
        inputs.put(name, tensor);
        return this;
    }

    /** Adds a float32 output of memory that stays. */
    public Ort output(String name, long... shape) throws OrtException {
        int count = 1;
        for (long size : shape) {
            count = Math.toIntExact(count * size);
        }
        return output(name, OnnxTensor.createTensor(environment, Numbers.direct(count), shape));
    }

    /** Adds an output, which may be an input too where an operator updates it in place. */
    public Ort output(String name, OnnxTensor tensor) {
        outputs.put(name, tensor);
        return this;
    }

    /** Runs the graph. */
    public void run() throws OrtException {
        session.run(inputs, outputs).close();
    }

    /** {@return all numbers of an output of the last run} */
    public float[] floats(String name) {
        FloatBuffer buffer = (FloatBuffer) outputs.get(name).getBufferRef().orElseThrow();
        return Numbers.array(buffer);
    }

    /** {@return version and threads of a session that this process runs} */
    public static String describe(int threads) {
        return "ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion() + ", instruction set of its own choice, "
                + "threads=" + threads;
    }

    /** {@return version and threads} */
    public String describe() {
        return describe(threads);
    }

    @Override
    public void close() throws OrtException {
        session.close();
        // Some are both.
        Set<OnnxTensor> tensors = new HashSet<>(inputs.values());
        tensors.addAll(outputs.values());
        tensors.forEach(OnnxTensor::close);
    }
}
