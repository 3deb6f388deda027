// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyFileTest {
    private static final Pattern HEADER = Pattern.compile(
            "\\{'descr': '<f4', 'fortran_order': False, 'shape': \\((\\d+), (\\d+)\\), \\} *\n");

    /** Reads as the format's description says: magic, version, header length, header, data. */
    private static float[][] read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] start = new byte[8];
        bytes.get(start);
        assertArrayEquals("\u0093NUMPY\u0001\u0000".getBytes(StandardCharsets.ISO_8859_1), start);
        byte[] header = new byte[bytes.getShort()];
        bytes.get(header);
        assertEquals(0, bytes.position() % 64);
        Matcher matcher = HEADER.matcher(new String(header, StandardCharsets.US_ASCII));
        assertTrue(matcher.matches());
        float[][] rows = new float[Integer.parseInt(matcher.group(1))][Integer.parseInt(matcher.group(2))];
        for (float[] row : rows) {
            bytes.asFloatBuffer().get(row);
            bytes.position(bytes.position() + row.length * Float.BYTES);
        }
        assertEquals(0, bytes.remaining());
        return rows;
    }

    @Test
    void whatIsWrittenIsReadBack(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("a.npy");
        float[][] rows = {{1, -2.5f, Float.MIN_VALUE}, {Float.NaN, Float.MAX_VALUE, 0}};
        NpyFile.write(file, rows, 3);
        assertArrayEquals(rows, read(file));
        NpyFile.write(file, new float[0][], 384);
        assertEquals(0, read(file).length);
    }
}
