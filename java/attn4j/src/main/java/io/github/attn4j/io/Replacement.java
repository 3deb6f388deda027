// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Files under temporary names beside their places. All are complete before the first is renamed over its place, in the
 * order in which they were begun; closing deletes those that were not.
 */
final class Replacement implements AutoCloseable {
    /** From place to temporary file. */
    private final Map<Path, Path> files = new LinkedHashMap<>();
    private Output output;

    /** Ends the file before, and begins one. */
    Output begin(Path place) throws IOException {
        end();
        while (output == null) {
            Path temporary = place.resolveSibling("." + place.getFileName() + "."
                + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
            try {
                // Not createTempFile, whose files only their owner may read.
                output = new Output(FileChannel.open(temporary, StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.WRITE));
                files.put(place, temporary);
            } catch (FileAlreadyExistsException e) {
                continue;
            }
        }
        return output;
    }

    /** Puts all in their places. */
    void commit() throws IOException {
        end();
        for (Map.Entry<Path, Path> file : files.entrySet()) {
            try {
                Files.move(file.getValue(), file.getKey(), StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(file.getValue(), file.getKey(), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (output != null) {
            output.channel.close();
        }
        for (Path temporary : files.values()) {
            Files.deleteIfExists(temporary);
        }
    }

    private void end() throws IOException {
        if (output != null) {
            // On disk before the rename, or a crash could leave the new name with nothing behind it.
            output.channel.force(true);
            output.channel.close();
            output = null;
        }
    }

    /** A file that is being written. */
    static final class Output {
        private final FileChannel channel;
        private ByteBuffer piece;

        private Output(FileChannel channel) {
            this.channel = channel;
        }

        void write(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        /** All elements in row-major order, gathered in pieces of as many whole rows as fit. */
        void write(Tensor tensor) throws IOException {
            long bytes = tensor.elements() * tensor.dtype().bytes();
            if (bytes <= Shard.PIECE) {
                writePiece(tensor, (int) bytes);
                return;
            }
            long rows = tensor.size(0);
            long step = Shard.PIECE / (bytes / rows);
            if (step == 0) {
                for (long row = 0; row < rows; row++) {
                    write(tensor.select(0, row));
                }
                return;
            }
            for (long row = 0; row < rows; row += step) {
                Tensor part = tensor.slice(0, row, Math.min(rows, row + step));
                writePiece(part, (int) (part.elements() * part.dtype().bytes()));
            }
        }

        private void writePiece(Tensor tensor, int bytes) throws IOException {
            if (piece == null) {
                piece = ByteBuffer.allocateDirect(Shard.PIECE).order(ByteOrder.nativeOrder());
            }
            piece.clear().limit(bytes);
            Tensor.wrap(piece, tensor.dtype(), tensor.shape().toArray()).copyFrom(tensor);
            write(piece);
        }
    }
}
