// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.decode;

import io.github.attn4j.Attn4j;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.bench.AttentionInputs;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** attn4j over its growing cache, filled in one go, in each storage type. */
public final class Attn4jDecode implements Contender {
    private final TensorScope scope = TensorScope.open();
    private final DType type;
    private final KeyValueCache cache;
    private final SegmentedAttention attention = new SegmentedAttention(Attention.builder().build());
    private final Tensor q;
    private final Tensor out;

    /** Fills the cache. */
    public Attn4jDecode(AttentionInputs in, DType type) {
        Attn4j.threads(in.threads());
        AttentionShape s = in.shape();
        this.type = type;
        cache = KeyValueCache.builder(s.batch(), s.kvHeads(), s.headDim()).dtype(type).build();
        try (TensorScope once = TensorScope.open()) {
            cache.append(Attn4jTypes.tensor(once, type, in.k(), s.keyShape()),
                    Attn4jTypes.tensor(once, type, in.v(), s.keyShape()));
        }
        q = Attn4jTypes.tensor(scope, type, in.q(), s.queryShape());
        out = scope.zeros(type, s.queryShape());
    }

    @Override
    public void run() {
        attention.run(q, cache, out);
    }

    @Override
    public float[] output() {
        return out.cast(scope, DType.FLOAT32).toFloatArray();
    }

    @Override
    public double tolerance() {
        return Attn4jTypes.tolerance(type);
    }

    @Override
    public String describe() {
        return Attn4jTypes.describe() + ", " + type + " in a KeyValueCache";
    }

    @Override
    public void close() {
        attention.close();
        cache.close();
        scope.close();
    }
}
