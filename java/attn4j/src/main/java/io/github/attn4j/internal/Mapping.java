// SPDX-License-Identifier: Apache-2.0
// The version for JDK 17 to 21; META-INF/versions/22 has one without the limit, which unmaps at once.
package io.github.attn4j.internal;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/** A part of a file in memory, read-only. Run frees it: here by leaving it to the garbage collector. */
public final class Mapping implements Runnable {
    /** The most bytes of one mapping. */
    public static final long LIMIT = Integer.MAX_VALUE;

    /** Of the first byte. */
    public final long address;
    private MappedByteBuffer buffer;

    private Mapping(MappedByteBuffer buffer) {
        this.buffer = buffer;
        address = Native.bufferAddress(buffer);
    }

    /** Maps 1 to LIMIT bytes, which the file must have. */
    public static Mapping of(FileChannel file, long from, long bytes) throws IOException {
        return new Mapping(file.map(FileChannel.MapMode.READ_ONLY, from, bytes));
    }

    @Override
    public void run() {
        buffer = null;
    }
}
