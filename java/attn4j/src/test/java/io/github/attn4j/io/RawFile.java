// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files byte by byte. */
final class RawFile {
    private RawFile() {}

    /** Header length, header, and so many bytes of data: 0, 1, 2 and so on. */
    static byte[] of(String header, int data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return of(text.length, text, data);
    }

    static byte[] of(long length, byte[] header, int data) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
        bytes.writeBytes(header);
        for (int i = 0; i < data; i++) {
            bytes.write(i);
        }
        return bytes.toByteArray();
    }

    /** The member of a header for one tensor. */
    static String entry(String name, String dtype, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + ","
            + end + "]}";
    }

    static Path write(Path folder, String name, String header, int data) throws IOException {
        return Files.write(folder.resolve(name), of(header, data));
    }

    /** A file that the format's own implementation wrote, safetensors 0.8 for Python. */
    static Path real() {
        return Path.of("src", "test", "resources", "safetensors", "written_by_safetensors.safetensors")
            .toAbsolutePath();
    }
}
