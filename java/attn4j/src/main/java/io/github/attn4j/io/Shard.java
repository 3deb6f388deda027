// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.internal.Adoption;
import io.github.attn4j.internal.Mapping;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** One open file of tensors. Closing it leaves the tensors, which belong to the scope. */
final class Shard implements AutoCloseable {
    /** Bytes of a piece that passes through Java on its way between file and tensor. */
    static final int PIECE = 1 << 20;

    final Header header;
    private final String file;
    private final FileChannel channel;
    private ByteBuffer piece;

    private Shard(String file, FileChannel channel, Header header) {
        this.file = file;
        this.channel = channel;
        this.header = header;
    }

    static Shard open(Path path) throws IOException {
        FileChannel channel = channel(path);
        try {
            return new Shard(path.toString(), channel, Header.read(channel, path.toString()));
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    /** Opens a regular file; a pipe would be waited for. */
    static FileChannel channel(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new WeightsFormatException(path.toString(), "weights must be in a regular file, which this is not");
        }
        return FileChannel.open(path, StandardOpenOption.READ);
    }

    /** Views of the file in memory; what cannot be one gets its reason in `refused`. */
    void map(TensorScope scope, Map<String, Tensor> tensors, Map<String, String> refused) throws IOException {
        long from = 0;
        long to = 0;
        Mapping mapping = null;
        for (Entry entry : header.entries) {
            String reason = entry.oddity();
            if (reason == null && entry.bytes() > Mapping.limit()) {
                reason = "more than 2 GiB in one tensor can be mapped on JDK 22 and newer; Safetensors.read takes it on"
                    + " any: name=" + entry.name() + " bytes=" + entry.bytes() + " java.version="
                    + System.getProperty("java.version");
            }
            if (reason != null) {
                refused.put(entry.name(), reason);
                continue;
            }
            if (entry.bytes() > 0 && (mapping == null || entry.end() > to)) {
                from = entry.begin();
                to = from + Math.min(Mapping.limit(), header.dataBytes - from);
                mapping = Mapping.of(channel, header.dataStart + from, to - from);
                Adoption.keep(scope, mapping);
            }
            tensors.put(entry.name(), entry.bytes() > 0 && isAligned(entry)
                ? (Tensor) Adoption.tensor(scope, mapping.address + entry.begin() - from, entry.dtype().ordinal(),
                    entry.sizes().clone())
                : copy(scope, entry).asReadOnly());
        }
    }

    /** Copies in memory of the scope; what cannot be one gets its reason in `refused`. */
    void read(TensorScope scope, Map<String, Tensor> tensors, Map<String, String> refused) throws IOException {
        for (Entry entry : header.entries) {
            if (entry.oddity() == null) {
                tensors.put(entry.name(), copy(scope, entry));
            } else {
                refused.put(entry.name(), entry.oddity());
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** A mapping keeps the alignment within a page. */
    private boolean isAligned(Entry entry) {
        return (header.dataStart + entry.begin()) % entry.dtype().bytes() == 0;
    }

    private Tensor copy(TensorScope scope, Entry entry) throws IOException {
        DType dtype = entry.dtype();
        Tensor tensor = scope.zeros(dtype, entry.sizes());
        Tensor flat = tensor.reshape(tensor.elements());
        long step = PIECE / dtype.bytes();
        for (long at = 0; at < tensor.elements(); at += step) {
            long count = Math.min(step, tensor.elements() - at);
            if (piece == null) {
                piece = ByteBuffer.allocateDirect((int) Math.min(PIECE, header.dataBytes))
                    .order(ByteOrder.nativeOrder());
            }
            piece.clear().limit((int) (count * dtype.bytes()));
            Header.fill(channel, header.dataStart + entry.begin() + at * dtype.bytes(), piece, file);
            flat.slice(0, at, at + count).copyFrom(Tensor.wrap(piece.flip(), dtype, count));
        }
        return tensor;
    }
}
