// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/** Chunks that are filled one after the other and never move. Each is as large as all before it together. */
final class ChunkStorage implements CacheStorage {
    private static final int ROWS = 2;

    private final RowWriter writer = new RowWriter();
    private final TensorScope scope;
    private final CacheRows rows;
    private final long least;
    private final List<Chunk> chunks = new ArrayList<>();
    /** Stands for the chunks while there are none. */
    private final Chunk none;
    private long room;
    private long length;

    private record Chunk(Tensor k, Tensor v, long position) {
        long rows() {
            return k.size(ROWS);
        }
    }

    ChunkStorage(TensorScope scope, CacheRows rows, long least) {
        this.scope = scope;
        this.rows = rows;
        this.least = least;
        none = new Chunk(rows.keys(scope, 0), rows.values(scope, 0), 0);
    }

    @Override
    public void append(Tensor k, Tensor v, long count) {
        if (length + count > room) {
            long size = Math.max(Math.max(least, room), length + count - room);
            chunks.add(new Chunk(rows.keys(scope, size), rows.values(scope, size), room));
            room += size;
        }
        for (int i = 0; i < chunks.size(); i++) {
            Chunk chunk = chunks.get(i);
            long from = Math.max(length, chunk.position());
            long to = Math.min(length + count, chunk.position() + chunk.rows());
            if (from < to) {
                writer.copy(k, v, from - length, chunk.k(), chunk.v(), from - chunk.position(), to - from);
            }
        }
        length += count;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public long begin() {
        return 0;
    }

    @Override
    public long capacity() {
        return Long.MAX_VALUE;
    }

    @Override
    public void clear() {
        length = 0;
    }

    @Override
    public int count() {
        return Math.max(1, chunks.size());
    }

    @Override
    public Tensor k(int run) {
        return chunk(run).k();
    }

    @Override
    public Tensor v(int run) {
        return chunk(run).v();
    }

    @Override
    public long first(int run) {
        return 0;
    }

    @Override
    public long length(int run) {
        return Math.max(0, Math.min(chunk(run).rows(), length - position(run)));
    }

    @Override
    public long position(int run) {
        return chunk(run).position();
    }

    private Chunk chunk(int run) {
        return chunks.isEmpty() ? none : chunks.get(run);
    }
}
