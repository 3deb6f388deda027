// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.model;

import io.github.attn4j.bench.Contender;
import java.util.List;

/** A contender that turns the same sentences into vectors. */
abstract class ModelContender implements Contender {
    /** Sentences to encode. */
    final List<String> texts;
    /** Of the last run, [texts][dimension]. */
    float[][] vectors;

    ModelContender(List<String> texts) {
        this.texts = texts;
    }

    @Override
    public float[] output() {
        int width = vectors[0].length;
        float[] all = new float[vectors.length * width];
        for (int i = 0; i < vectors.length; i++) {
            System.arraycopy(vectors[i], 0, all, i * width, width);
        }
        return all;
    }

    /** Elements of vectors of length 1 after six layers in float32. */
    @Override
    public double tolerance() {
        return 1e-5;
    }
}
