// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import io.github.attn4j.Attn4j;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** A contender on attn4j, in a storage type. */
public abstract class Attn4jContender implements Contender {
    /** Of all tensors. */
    protected final DType type;
    /** The result. */
    protected final Tensor out;

    private final TensorScope scope = TensorScope.open();

    /** Sets the threads of this process, and makes room for the result. */
    protected Attn4jContender(int threads, DType type, long... outShape) {
        Attn4j.threads(threads);
        this.type = type;
        out = scope.zeros(type, outShape);
    }

    /** {@return a tensor with these numbers, rounded to the type} */
    protected final Tensor tensor(float[] values, long... shape) {
        return Attn4jTypes.tensor(scope, type, values, shape);
    }

    @Override
    public float[] output() {
        return out.cast(scope, DType.FLOAT32).toFloatArray();
    }

    @Override
    public double tolerance() {
        return Expected.tolerance(Attn4jTypes.name(type));
    }

    @Override
    public String describe() {
        return Attn4jTypes.describe();
    }

    @Override
    public void close() {
        scope.close();
    }
}
