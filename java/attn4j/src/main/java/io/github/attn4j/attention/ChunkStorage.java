// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;

/** Chunks that are filled one after the other and never move. Each is as large as all before it together. */
final class ChunkStorage implements CacheStorage {
    private final TensorScope scope;
    private final CacheRows rows;
    private final long batch;
    private final long least;
    private final List<Chunk> chunks = new ArrayList<>();
    /** Stands for the chunks while there are none. */
    private final Chunk none;
    private long room;
    private long length;

    private record Chunk(KeyValues rows, long size, long position) {}

    ChunkStorage(TensorScope scope, CacheRows rows, long batch, long least) {
        this.scope = scope;
        this.rows = rows;
        this.batch = batch;
        this.least = least;
        none = new Chunk(rows.storage(scope, batch, 0), 0, 0);
    }

    @Override
    public void append(RowWriter writer, long count) {
        if (length + count > room) {
            long size = Math.max(Math.max(least, room), length + count - room);
            chunks.add(new Chunk(rows.storage(scope, batch, size), size, room));
            room += size;
        }
        for (int i = 0; i < chunks.size(); i++) {
            Chunk chunk = chunks.get(i);
            long from = Math.max(length, chunk.position());
            long to = Math.min(length + count, chunk.position() + chunk.size());
            if (from < to) {
                writer.write(0, batch, from - length, chunk.rows(), 0, from - chunk.position(), to - from, from);
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
    public KeyValues rows(int run) {
        return chunk(run).rows();
    }

    @Override
    public long first(int run) {
        return 0;
    }

    @Override
    public long length(int run) {
        return Math.max(0, Math.min(chunk(run).size(), length - position(run)));
    }

    @Override
    public long position(int run) {
        return chunk(run).position();
    }

    private Chunk chunk(int run) {
        return chunks.isEmpty() ? none : chunks.get(run);
    }
}
