// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy format, version 1.0: float32 matrices in C order, little-endian. numpy.load reads them.
package io.github.attn4j.transformers.demo;

import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

final class NpyFile {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final int ALIGNMENT = 64;

    private NpyFile() {}

    /** Writes {@code rows}, all of the length {@code columns}, as a matrix. */
    static void write(Path file, float[][] rows, int columns) throws IOException {
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows.length + ", " + columns + "), }";
        int before = MAGIC.length + Short.BYTES + header.length() + 1;
        header += " ".repeat((ALIGNMENT - before % ALIGNMENT) % ALIGNMENT) + "\n";
        ByteBuffer row = ByteBuffer.allocate(columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(file))) {
            out.write(MAGIC);
            out.writeShort(Short.reverseBytes((short) header.length()));
            out.write(header.getBytes(StandardCharsets.US_ASCII));
            for (float[] values : rows) {
                row.asFloatBuffer().put(values, 0, columns);
                out.write(row.array());
            }
        }
    }
}
