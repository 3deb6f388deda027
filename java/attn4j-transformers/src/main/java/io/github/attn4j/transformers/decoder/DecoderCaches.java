// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.decoder;

import io.github.attn4j.attention.KeyValueCache;
import io.github.attn4j.attention.PagedKeyValueCache;
import io.github.attn4j.attention.PagedSequence;
import io.github.attn4j.nn.ModuleInputs;
import io.github.attn4j.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** What the layers of a decoder remember of the tokens so far. Not thread-safe. */
interface DecoderCaches extends AutoCloseable {
    /** The number of tokens. */
    long length();

    /** Gives a forward the cache of its layer. */
    void give(int layer, ModuleInputs inputs);

    /** Forgets all tokens and keeps the memory. */
    void clear();

    @Override
    void close();

    /** A cache of each layer, with room for so many tokens at once. */
    static DecoderCaches whole(DecoderShape shape, DType type, long tokens) {
        List<KeyValueCache> caches = new ArrayList<>();
        for (int layer = 0; layer < shape.layers(); layer++) {
            caches.add(KeyValueCache.builder(1, shape.kvHeads(), shape.headDim()).dtype(type).chunk(tokens).build());
        }
        return new Whole(caches);
    }

    /** A sequence of a paged cache of each layer, with pages for so many tokens. */
    static DecoderCaches paged(DecoderShape shape, DType type, long tokens) {
        List<List<PagedSequence>> sequences = new ArrayList<>();
        for (int layer = 0; layer < shape.layers(); layer++) {
            int pages = (int) (tokens / Paged.PAGE_SIZE + 1);
            sequences.add(List.of(PagedKeyValueCache.builder(pages, shape.kvHeads(), shape.headDim()).dtype(type)
                    .pageSize(Paged.PAGE_SIZE).build().add("layer " + layer)));
        }
        return new Paged(sequences);
    }

    /** Keys and values end to end. */
    record Whole(List<KeyValueCache> caches) implements DecoderCaches {
        @Override
        public long length() {
            return caches.get(0).length();
        }

        @Override
        public void give(int layer, ModuleInputs inputs) {
            inputs.cache(caches.get(layer)).sequences(null);
        }

        @Override
        public void clear() {
            caches.forEach(KeyValueCache::clear);
        }

        @Override
        public void close() {
            caches.forEach(KeyValueCache::close);
        }
    }

    /** Keys and values in pages; a list of one sequence for each layer. */
    record Paged(List<List<PagedSequence>> sequences) implements DecoderCaches {
        static final long PAGE_SIZE = 16;

        @Override
        public long length() {
            return sequences.get(0).get(0).length();
        }

        @Override
        public void give(int layer, ModuleInputs inputs) {
            inputs.cache(null).sequences(sequences.get(layer));
        }

        @Override
        public void clear() {
            sequences.forEach(layer -> layer.get(0).clear());
        }

        @Override
        public void close() {
            for (List<PagedSequence> layer : sequences) {
                layer.get(0).close();
                layer.get(0).cache().close();
            }
        }
    }
}
