// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/** Chunks that are filled one after the other and never move. Each is as large as all before it together. */
final class ChunkStorage implements CacheStorage {
    private final TensorScope scope;
    private final CacheRows rows;
    private final long least;
    private final List<Chunk> chunks = new ArrayList<>();
    /** Stands for the chunks while there are none. */
    private final List<Chunk> none;
    private long capacity;

    private record Chunk(Tensor k, Tensor v, long position) {
        long rows() {
            return k.size(ROWS);
        }
    }

    ChunkStorage(TensorScope scope, CacheRows rows, long least) {
        this.scope = scope;
        this.rows = rows;
        this.least = least;
        none = List.of(new Chunk(rows.keys(scope, 0), rows.values(scope, 0), 0));
    }

    @Override
    public void append(Tensor k, Tensor v, long length, long count) {
        if (length + count > capacity) {
            long size = Math.max(Math.max(least, capacity), length + count - capacity);
            chunks.add(new Chunk(rows.keys(scope, size), rows.values(scope, size), capacity));
            capacity += size;
        }
        for (Chunk chunk : chunks) {
            long from = Math.max(length, chunk.position());
            long to = Math.min(length + count, chunk.position() + chunk.rows());
            if (from < to) {
                CacheStorage.copy(k, v, from - length, chunk.k(), chunk.v(), from - chunk.position(), to - from);
            }
        }
    }

    @Override
    public KeyRuns runs(long length) {
        List<Chunk> filled = chunks.isEmpty() ? none : chunks;
        return new KeyRuns() {
            @Override
            public int count() {
                return filled.size();
            }

            @Override
            public Tensor k(int run) {
                return filled.get(run).k();
            }

            @Override
            public Tensor v(int run) {
                return filled.get(run).v();
            }

            @Override
            public long first(int run) {
                return 0;
            }

            @Override
            public long length(int run) {
                return Math.max(0, Math.min(filled.get(run).rows(), length - position(run)));
            }

            @Override
            public long position(int run) {
                return filled.get(run).position();
            }
        };
    }
}
