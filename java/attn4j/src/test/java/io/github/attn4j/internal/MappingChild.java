// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import io.github.attn4j.io.Safetensors;
import io.github.attn4j.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Opens a sparse file with one tensor of 3 GiB. */
final class MappingChild {
    private MappingChild() {}

    public static void main(String[] arguments) throws IOException {
        Path path = Path.of(System.getProperty("file"));
        long bytes = 3L << 30;
        long rows = bytes / 4 / 1024;
        byte[] header = ("{\"w\":{\"dtype\":\"F32\",\"shape\":[" + rows + ",1024],\"data_offsets\":[0," + bytes
            + "]}}").getBytes(StandardCharsets.UTF_8);
        // Aligned, or the tensor would be copied.
        int padded = (header.length + 7) / 8 * 8;
        long start = 8 + padded;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).array());
            file.write(header);
            file.write(" ".repeat(padded - header.length).getBytes(StandardCharsets.UTF_8));
            file.setLength(start + bytes);
            file.seek(start + bytes - 2);
            // The upper half of 1.0.
            file.write(new byte[] {(byte) 0x80, 0x3f});
        }
        Tensor tensor;
        try (Safetensors file = Safetensors.open(path)) {
            tensor = file.tensor("w");
            System.out.println("last=" + tensor.at(rows - 1, 1023));
        }
        try {
            tensor.at(0, 0);
        } catch (IllegalStateException e) {
            System.out.println(e);
        }
    }
}
