// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** Memory of this process outside the Java heap, on Linux. */
final class OffHeap {
    private static final Path MAPPINGS = Path.of("/proc/self/smaps");
    private static final Pattern ADDRESS = Pattern.compile("0x([0-9a-f]{8,16})");
    private static final Pattern RANGE = Pattern.compile("([0-9a-f]+)-[0-9a-f]+ .*");

    private OffHeap() {}

    /** Resident bytes that no file stands behind; 0 where the system does not tell. */
    static long bytes() throws IOException, JMException {
        if (!Files.isReadable(MAPPINGS)) {
            return 0;
        }
        long[] heap = heap();
        long bytes = 0;
        boolean counts = false;
        for (String line : Files.readAllLines(MAPPINGS)) {
            Matcher range = RANGE.matcher(line);
            if (range.matches()) {
                long begin = Long.parseUnsignedLong(range.group(1), 16);
                counts = Long.compareUnsigned(begin, heap[0]) < 0 || Long.compareUnsigned(begin, heap[1]) >= 0;
            } else if (counts && line.startsWith("Anonymous:")) {
                bytes += Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return bytes;
    }

    /** First and last of the addresses by which the JVM describes its heap. */
    private static long[] heap() throws JMException {
        String text = (String) ManagementFactory.getPlatformMBeanServer().invoke(
            new ObjectName("com.sun.management:type=DiagnosticCommand"), "gcHeapInfo", new Object[] {null},
            new String[] {String[].class.getName()});
        long[] heap = {Long.MAX_VALUE, 0};
        for (Matcher address = ADDRESS.matcher(text.lines().limit(1).findFirst().orElse("")); address.find();) {
            heap[0] = Math.min(heap[0], Long.parseLong(address.group(1), 16));
            heap[1] = Math.max(heap[1], Long.parseLong(address.group(1), 16));
        }
        return heap;
    }
}
