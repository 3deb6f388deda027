// SPDX-License-Identifier: Apache-2.0
// The peak of this process's resident memory, from Linux. The heap's pages are touched when the JVM starts, so that
// growth is native memory.
package io.github.attn4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A point in time to count from. */
public final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");
    private static final String RESET_PEAK = "5";

    private final long start;

    private ResidentMemory(long start) {
        this.start = start;
    }

    /** {@return now; the peak so far is forgotten} */
    public static ResidentMemory now() throws IOException {
        if (!Files.isWritable(CLEAR)) {
            return new ResidentMemory(-1);
        }
        Files.writeString(CLEAR, RESET_PEAK);
        return new ResidentMemory(read("VmRSS:"));
    }

    /**
     * {@return bytes by which the peak since then exceeds what was resident then; -1 where the system does not tell}
     */
    public long peakGrowth() throws IOException {
        return start < 0 ? -1 : Math.max(0, read("VmHWM:") - start);
    }

    private static long read(String key) throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith(key)) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new IOException("no such line: file=" + STATUS + " key=" + key);
    }
}
