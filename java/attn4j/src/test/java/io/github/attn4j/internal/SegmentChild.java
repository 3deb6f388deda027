// SPDX-License-Identifier: Apache-2.0
// By reflection, as tests are compiled for JDK 17.
package io.github.attn4j.internal;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Wraps a sparse mapped file of 3 GiB. */
final class SegmentChild {
    private SegmentChild() {}

    public static void main(String[] arguments) throws Exception {
        Class<?> arenaType = Class.forName("java.lang.foreign.Arena");
        Class<?> segmentType = Class.forName("java.lang.foreign.MemorySegment");
        Object arena = arenaType.getMethod("ofShared").invoke(null);
        long bytes = 3L << 30;
        Object segment;
        try (FileChannel file = FileChannel.open(Path.of(System.getProperty("file")), StandardOpenOption.CREATE,
            StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            segment = FileChannel.class.getMethod("map", FileChannel.MapMode.class, long.class, long.class, arenaType)
                .invoke(file, FileChannel.MapMode.READ_WRITE, 0L, bytes, arena);
        }
        long rows = bytes / 4 / 1024;
        Tensor tensor = Tensor.wrapSegment(segment, DType.FLOAT32, rows, 1024);
        tensor.slice(0, rows - 1, rows).slice(1, 1023, 1024).copyFrom(new float[] {7});
        System.out.println("last=" + tensor.at(rows - 1, 1023));
        arenaType.getMethod("close").invoke(arena);
        print(() -> tensor.at(0, 0));
        print(() -> Tensor.wrapSegment("text", DType.FLOAT32, 1));
        Object heap = segmentType.getMethod("ofArray", float[].class).invoke(null, new float[4]);
        print(() -> Tensor.wrapSegment(heap, DType.FLOAT32, 4));
        Object small = segmentType.getMethod("ofBuffer", Buffer.class).invoke(null, ByteBuffer.allocateDirect(16));
        print(() -> Tensor.wrapSegment(small, DType.FLOAT32, 3));
    }

    private static void print(Runnable refused) {
        try {
            refused.run();
        } catch (RuntimeException e) {
            System.out.println(e);
        }
    }
}
