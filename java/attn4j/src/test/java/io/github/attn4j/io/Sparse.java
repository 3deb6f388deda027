// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** Large files that take no room. */
final class Sparse {
    private Sparse() {}

    /** Adds zeros to that size, or cuts off. */
    static void extend(Path file, long bytes) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(bytes);
        }
    }

    static void put(Path file, long at, int value) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            open.write(value);
        }
    }
}
