// SPDX-License-Identifier: Apache-2.0
// The version for JDK 17 to 21; META-INF/versions/22 has one without the limit, which unmaps at once.
package io.github.attn4j.internal;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/** A part of a file in memory, read-only. Run frees it: here by leaving it to the garbage collector. */
public final class Mapping implements Runnable {
    /** Of the first byte. */
    public final long address;
    private MappedByteBuffer buffer;

    private Mapping(MappedByteBuffer buffer) {
        this.buffer = buffer;
        address = Native.bufferAddress(buffer);
    }

    /** The most bytes of one mapping; no constant, which the compiler would copy into its users. */
    public static long limit() {
        return Integer.MAX_VALUE;
    }

    /** Maps 1 to limit() bytes, which the file must have. */
    public static Mapping of(FileChannel file, long from, long bytes) throws IOException {
        return new Mapping(file.map(FileChannel.MapMode.READ_ONLY, from, bytes));
    }

    @Override
    public void run() {
        buffer = null;
    }
}
