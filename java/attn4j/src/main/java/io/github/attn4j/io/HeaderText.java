// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.stream.Collectors;

/** Headers and index files as text. */
final class HeaderText {
    /** Data that begin at a multiple of it suit every type. */
    private static final int ALIGNMENT = 8;

    private HeaderText() {}

    /** The header of a file with its length before it, padded with spaces. */
    static ByteBuffer header(List<Entry> entries, SortedMap<String, String> metadata) {
        StringBuilder text = new StringBuilder("{");
        if (!metadata.isEmpty()) {
            text.append(quoted(Header.METADATA)).append(":").append(object(metadata));
        }
        for (Entry entry : entries) {
            text.append(text.length() > 1 ? "," : "").append(quoted(entry.name())).append(":{\"dtype\":\"")
                .append(entry.type()).append("\",\"shape\":").append(Arrays.toString(entry.sizes()).replace(" ", ""))
                .append(",\"data_offsets\":[").append(entry.begin()).append(",").append(entry.end()).append("]}");
        }
        ByteBuffer bytes = utf8(text.append("}"));
        int length = (bytes.remaining() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (length > Header.MAX_BYTES) {
            throw new IllegalArgumentException("the header must have at most " + Header.MAX_BYTES + " bytes: header="
                + length);
        }
        ByteBuffer header = ByteBuffer.allocate(Header.PREFIX + length).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(length).put(bytes);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }

    /** An index: the bytes of all tensors, and the file of each. */
    static ByteBuffer index(long bytes, SortedMap<String, String> files) {
        return utf8("{\"metadata\":{\"total_size\":" + bytes + "},\"weight_map\":" + object(files) + "}\n");
    }

    /** Refuses what UTF-8 cannot hold: half of a surrogate pair. */
    private static ByteBuffer utf8(CharSequence text) {
        try {
            return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("names and metadata must be text without half surrogate pairs", e);
        }
    }

    private static String object(SortedMap<String, String> members) {
        return members.entrySet().stream().map(member -> quoted(member.getKey()) + ":" + quoted(member.getValue()))
            .collect(Collectors.joining(",", "{", "}"));
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
