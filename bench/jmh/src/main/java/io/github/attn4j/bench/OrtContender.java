// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import ai.onnxruntime.OrtException;

/** A contender that runs a graph of ONNX Runtime, whose result is its output {@code out}. */
public abstract class OrtContender implements Contender {
    private final Ort session;

    /** Runs this session. */
    protected OrtContender(Ort session) {
        this.session = session;
    }

    @Override
    public final void run() throws OrtException {
        session.run();
    }

    @Override
    public float[] output() {
        return session.floats("out");
    }

    @Override
    public String describe() {
        return session.describe();
    }

    @Override
    public final void close() throws OrtException {
        session.close();
    }
}
