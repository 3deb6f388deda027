// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** A contender on PyTorch. */
public abstract class TorchContender implements Contender {
    /** Makes tensors. */
    protected final Torch session;

    /** Tensors of {@code type}, f32 or bf16. */
    protected TorchContender(int threads, String type) {
        session = new Torch(threads, type);
    }

    @Override
    public double tolerance() {
        return session.tolerance();
    }

    @Override
    public String describe() {
        return session.describe();
    }

    @Override
    public void close() {
        session.close();
    }
}
