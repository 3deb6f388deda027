// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.decode;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.SegmentedAttention;
import io.github.attn4j.bench.Attn4jContender;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Attn4jTypes;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** attn4j over its growing cache, filled in one go, in each storage type. */
public final class Attn4jDecode extends Attn4jContender {
    private final KeyValueCache cache;
    private final SegmentedAttention attention = new SegmentedAttention(Attention.builder().build());
    private final Tensor q;

    /** Fills the cache. */
    public Attn4jDecode(AttentionOperands in, DType type) {
        super(in.threads(), type, in.shape().queryShape());
        AttentionShape s = in.shape();
        cache = KeyValueCache.builder(s.batch(), s.kvHeads(), s.headDim()).dtype(type).build();
        try (TensorScope once = TensorScope.open()) {
            cache.append(Attn4jTypes.tensor(once, type, in.k(), s.keyShape()),
                    Attn4jTypes.tensor(once, type, in.v(), s.keyShape()));
        }
        q = tensor(in.q(), s.queryShape());
    }

    @Override
    public void run() {
        attention.run(q, cache, out);
    }

    @Override
    public String describe() {
        return super.describe() + ", " + type + " in a KeyValueCache";
    }

    @Override
    public void close() {
        attention.close();
        cache.close();
        super.close();
    }
}
