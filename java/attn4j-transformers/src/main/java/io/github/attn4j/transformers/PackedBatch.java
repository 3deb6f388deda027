// SPDX-License-Identifier: Apache-2.0
// Working memory for sequences laid end to end, without padding, with the attention planned for it: used by one pass
// at a time and kept between passes. A linear layer may not write over what it reads, so its result takes the memory of
// the projections, which nothing needs after attention.
package io.github.attn4j.transformers;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.AttentionPlan;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.List;

final class PackedBatch implements AutoCloseable {
    /** The first rows of the working memory, as many as a batch has tokens. */
    record Views(
            Tensor ids, // [tokens]
            Tensor positions, // [tokens]
            Tensor bounds, // [sequences + 1], first row of each sequence and the end
            Tensor hidden, // [tokens, hidden]
            Tensor queryKeyValue, // [tokens, 3 * hidden]
            Tensor queries, // [tokens, heads, headDim] in queryKeyValue, as keys and values
            Tensor keys,
            Tensor values,
            Tensor context, // [tokens, heads, headDim]
            Tensor flatContext, // [tokens, hidden], the same memory
            Tensor projected, // [tokens, hidden], in the memory of queryKeyValue
            Tensor intermediate, // [tokens, intermediate]
            Tensor pooled) {} // [sequences, hidden]

    private final BertConfig config;
    private final int capacity;
    private final TensorScope scope = TensorScope.open();
    private final IntBuffer ids;
    private final IntBuffer positions;
    private final LongBuffer bounds;
    private final Views all;
    private final AttentionPlan attention;
    private final Attention weighing;

    /** Memory for up to {@code capacity} tokens, in as many sequences; {@code weighing} also writes the weights. */
    PackedBatch(BertConfig config, Attention attention, Attention weighing, int capacity) {
        this.config = config;
        this.weighing = weighing;
        this.capacity = capacity;
        ids = ints(capacity);
        positions = ints(capacity);
        bounds = direct(Math.multiplyExact(capacity + 1, Long.BYTES)).asLongBuffer();
        int hidden = config.hidden();
        all = views(
                Tensor.wrap(ids, capacity),
                Tensor.wrap(positions, capacity),
                Tensor.wrap(bounds, capacity + 1),
                scope.zeros(DType.FLOAT32, capacity, hidden),
                scope.zeros(DType.FLOAT32, capacity, 3L * hidden),
                scope.zeros(DType.FLOAT32, capacity, hidden),
                scope.zeros(DType.FLOAT32, capacity, config.intermediate()),
                scope.zeros(DType.FLOAT32, capacity, hidden));
        this.attention = attention.plan(
                all.queries(), all.keys(), all.values(), all.context(), all.bounds(), all.bounds());
    }

    int capacity() {
        return capacity;
    }

    /**
     * Attention of the tokens of each sequence among themselves, from queryKeyValue to context; and to {@code weights}
     * [sequences, heads, tokens, tokens of the longest] if that is not null, what each head looks at.
     */
    void attend(Views views, Tensor weights) {
        if (weights == null) {
            attention.run(
                    views.queries(), views.keys(), views.values(), views.context(), views.bounds(), views.bounds());
        } else {
            weighing.run(AttentionInputs.of(views.queries(), views.keys(), views.values(), views.context())
                    .cumulative(views.bounds(), views.bounds())
                    .scores(weights));
        }
    }

    /** Lays the sequences end to end and gives views of their size. */
    Views fill(List<int[]> sequences) {
        ids.clear();
        positions.clear();
        bounds.clear().put(0L);
        int tokens = 0;
        for (int[] sequence : sequences) {
            ids.put(sequence);
            for (int i = 0; i < sequence.length; i++) {
                positions.put(i);
            }
            tokens += sequence.length;
            bounds.put(tokens);
        }
        return views(
                all.ids().slice(0, 0, tokens),
                all.positions().slice(0, 0, tokens),
                all.bounds().slice(0, 0, sequences.size() + 1),
                all.hidden().slice(0, 0, tokens),
                all.queryKeyValue().slice(0, 0, tokens),
                all.flatContext().slice(0, 0, tokens),
                all.intermediate().slice(0, 0, tokens),
                all.pooled().slice(0, 0, sequences.size()));
    }

    @Override
    public void close() {
        attention.close();
        scope.close();
    }

    private Views views(
            Tensor ids,
            Tensor positions,
            Tensor bounds,
            Tensor hidden,
            Tensor queryKeyValue,
            Tensor context,
            Tensor intermediate,
            Tensor pooled) {
        return new Views(
                ids, positions, bounds, hidden, queryKeyValue, heads(queryKeyValue, 0), heads(queryKeyValue, 1),
                heads(queryKeyValue, 2), heads(context, 0), context, projected(queryKeyValue),
                intermediate, pooled);
    }

    /** The first third of contiguous memory as a matrix a third as wide. */
    private Tensor projected(Tensor queryKeyValue) {
        long tokens = queryKeyValue.size(0);
        long hidden = config.hidden();
        return queryKeyValue.reshape(queryKeyValue.elements())
                .slice(0, 0, tokens * hidden)
                .reshape(tokens, hidden);
    }

    /** A part of the columns as [tokens, heads, headDim], without a copy. */
    private Tensor heads(Tensor matrix, int part) {
        int hidden = config.hidden();
        return matrix.slice(1, (long) part * hidden, (part + 1L) * hidden)
                .reshape(matrix.size(0), config.heads(), config.headDim());
    }

    private static IntBuffer ints(int count) {
        return direct(Math.multiplyExact(count, Integer.BYTES)).asIntBuffer();
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
