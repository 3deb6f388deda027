// SPDX-License-Identifier: Apache-2.0
// A BERT encoder with mean pooling, assembled from attn4j's modules: token ids in, one unit vector a sequence out. Owns
// its weights. Any number of threads may encode at once, each on working memory of its own, which is kept for the next;
// closing is up to the caller to order after the last use.
package io.github.attn4j.transformers;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.nn.Embedding;
import io.github.attn4j.nn.LayerNorm;
import io.github.attn4j.nn.MeanPool;
import io.github.attn4j.nn.Normalize;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.onnx.OnnxFormatException;
import io.github.attn4j.transformers.onnx.OnnxWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

final class BertEncoder implements AutoCloseable {
    private static final int LEAST_CAPACITY = 64;

    private final OnnxWeights weights;
    private final TensorScope scope = TensorScope.open();
    private final BertConfig config;
    private final int passTokens;
    private final Embedding words;
    private final Embedding positions;
    private final LayerNorm embeddingNorm;
    private final List<BertLayer> layers = new ArrayList<>();
    private final Attention attention;
    private final Attention weighing;
    private final MeanPool pool;
    private final Normalize normalize;
    private final Queue<PackedBatch> idle = new ConcurrentLinkedQueue<>();

    /**
     * Takes over the weights, also when it fails. {@code passTokens} is the most tokens of one pass; a sequence of the
     * model's greatest length always fits.
     */
    BertEncoder(OnnxWeights weights, int threads, int passTokens) throws OnnxFormatException {
        this.weights = weights;
        try {
            BertGraph graph = new BertGraph(weights);
            config = graph.config();
            this.passTokens = Math.max(passTokens, config.positions());
            words = embedding(graph.tensor("embeddings.word_embeddings.weight"), threads);
            positions = embedding(positionsOfFirstType(graph), threads);
            BertGraph.NormSource norm = graph.norm("embeddings.LayerNorm", config.hidden());
            List<BertLayer.Source> sources = new ArrayList<>();
            for (int layer = 0; layer < config.layers(); layer++) {
                sources.add(BertLayer.Source.of(graph, config, layer));
            }
            graph.check();
            weights.retain(graph.used());
            embeddingNorm = BertLayer.norm(norm, threads);
            for (BertLayer.Source source : sources) {
                layers.add(new BertLayer(scope, source, threads));
                source.queryKeyValue().forEach(part -> weights.release(part.name()));
            }
            attention = Attention.builder().ragged().threads(threads).build();
            weighing = Attention.builder().ragged().weights().threads(threads).build();
            pool = MeanPool.builder().threads(threads).build();
            normalize = Normalize.builder().threads(threads).build();
        } catch (OnnxFormatException | RuntimeException e) {
            close();
            throw e;
        }
    }

    BertConfig config() {
        return config;
    }

    /**
     * Encodes sequences of at most {@code positions} tokens each to {@code out} from {@code outFrom}, in as few passes
     * as can be, about equally long.
     */
    void encode(List<int[]> sequences, float[][] out, int outFrom) {
        long all = sequences.stream().mapToLong(BertEncoder::room).sum();
        long passes = Math.max(1, (all + passTokens - 1) / passTokens);
        long share = (all + passes - 1) / passes;
        int from = 0;
        int rows = 0;
        for (int i = 0; i < sequences.size(); i++) {
            int room = room(sequences.get(i));
            if (rows > 0 && (rows >= share || rows + room > passTokens)) {
                pass(sequences.subList(from, i), rows, out, outFrom + from);
                from = i;
                rows = 0;
            }
            rows += room;
        }
        if (rows > 0) {
            pass(sequences.subList(from, sequences.size()), rows, out, outFrom + from);
        }
    }

    /** The weights of each layer for one sequence of at most {@code positions} tokens: [heads, tokens, tokens]. */
    List<Tensor> attention(TensorScope owner, int[] sequence) {
        List<Tensor> all = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            all.add(owner.zeros(DType.FLOAT32, 1, config.heads(), sequence.length, sequence.length));
        }
        PackedBatch batch = borrow(room(sequence));
        try {
            forward(batch, batch.fill(List.of(sequence)), all);
        } finally {
            idle.add(batch);
        }
        return all.stream().map(layer -> layer.select(0, 0)).toList();
    }

    @Override
    public void close() {
        for (PackedBatch batch = idle.poll(); batch != null; batch = idle.poll()) {
            batch.close();
        }
        scope.close();
        weights.close();
    }

    /** Rows a sequence needs in a pass: one a token, and one for its result. */
    private static int room(int[] sequence) {
        return Math.max(1, sequence.length);
    }

    private void pass(List<int[]> sequences, int rows, float[][] out, int outFrom) {
        PackedBatch batch = borrow(rows);
        try {
            PackedBatch.Views views = batch.fill(sequences);
            forward(batch, views, null);
            pool.run(views.hidden(), views.bounds(), views.pooled());
            normalize.run(views.pooled(), views.pooled());
            for (int i = 0; i < sequences.size(); i++) {
                out[outFrom + i] = views.pooled().select(0, i).toFloatArray();
            }
        } finally {
            idle.add(batch);
        }
    }

    /** From ids to the last hidden states; each layer's weights, [1, heads, tokens, tokens], are written if asked. */
    private void forward(PackedBatch batch, PackedBatch.Views views, List<Tensor> written) {
        words.run(views.ids(), views.hidden());
        positions.runAdding(views.positions(), views.hidden());
        embeddingNorm.run(views.hidden(), views.hidden());
        for (int layer = 0; layer < layers.size(); layer++) {
            layers.get(layer).run(batch, views, written == null ? null : written.get(layer));
        }
    }

    /** A sentence alone has token type 0: that row joins the positions once, instead of every token each time. */
    private Tensor positionsOfFirstType(BertGraph graph) {
        Tensor table = graph.tensor("embeddings.position_embeddings.weight");
        try (TensorScope temporary = TensorScope.open()) {
            Tensor zeros = temporary.zeros(DType.INT32, table.size(0));
            embedding(graph.tensor("embeddings.token_type_embeddings.weight"), 1).runAdding(zeros, table);
        }
        return table;
    }

    private static Embedding embedding(Tensor table, int threads) {
        return Embedding.builder(table).threads(threads).build();
    }

    /** Idle working memory if it is large enough, else new memory in powers of two: short texts need little. */
    private PackedBatch borrow(int rows) {
        PackedBatch batch = idle.poll();
        if (batch != null && batch.capacity() >= rows) {
            return batch;
        }
        if (batch != null) {
            batch.close();
        }
        int rounded = Math.max(LEAST_CAPACITY, Integer.highestOneBit(Math.max(1, rows - 1)) * 2);
        return new PackedBatch(config, attention, weighing, Math.min(passTokens, rounded));
    }
}
