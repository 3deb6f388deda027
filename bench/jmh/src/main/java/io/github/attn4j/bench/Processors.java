// SPDX-License-Identifier: Apache-2.0
// A library may move its threads to other processors than those the process was started on, and would then have more
// than its contenders; ONNX Runtime does so unless it is told how many threads to use.
package io.github.attn4j.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.BitSet;

/** On which processors threads may run, from Linux. */
final class Processors {
    private static final Path SELF = Path.of("/proc/self");
    private static final String ALLOWED = "Cpus_allowed:";
    private static final int HEXADECIMAL = 16;
    private static final int BITS_OF_DIGIT = 4;

    private Processors() {}

    /** Refuses threads of this process that may run elsewhere than its main thread. */
    static void require() throws IOException {
        if (Files.isDirectory(SELF.resolve("task"))) {
            require(SELF);
        }
    }

    /** The same for the process of a folder such as /proc/self. */
    static void require(Path process) throws IOException {
        BitSet main = allowed(process);
        BitSet all = new BitSet();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(process.resolve("task"))) {
            for (Path thread : threads) {
                try {
                    all.or(allowed(thread));
                } catch (NoSuchFileException e) {
                    // It has ended meanwhile.
                }
            }
        }
        BitSet more = (BitSet) all.clone();
        more.andNot(main);
        if (!more.isEmpty()) {
            throw new IllegalStateException(
                    "threads may run on more processors than the process: threads=" + all + " process=" + main);
        }
    }

    private static BitSet allowed(Path thread) throws IOException {
        for (String line : Files.readAllLines(thread.resolve("status"))) {
            if (line.startsWith(ALLOWED)) {
                return mask(line.substring(ALLOWED.length()).strip().replace(",", ""));
            }
        }
        throw new IOException("no such line: file=" + thread.resolve("status") + " key=" + ALLOWED);
    }

    private static BitSet mask(String digits) {
        BitSet set = new BitSet();
        for (int i = 0; i < digits.length(); i++) {
            int digit = Character.digit(digits.charAt(digits.length() - 1 - i), HEXADECIMAL);
            for (int bit = 0; bit < BITS_OF_DIGIT; bit++) {
                set.set(i * BITS_OF_DIGIT + bit, (digit >> bit & 1) != 0);
            }
        }
        return set;
    }
}
