// SPDX-License-Identifier: Apache-2.0
// Layout of a file: 8 bytes of header length, little-endian; the header, JSON that begins with {, perhaps with spaces
// behind it; the data, which the tensors fill without gap or overlap (https://github.com/huggingface/safetensors).
package io.github.attn4j.io;

import io.github.attn4j.internal.JsonReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The checked header of a file. It takes no more memory than a small multiple of its own bytes. */
final class Header {
    /** The most bytes of a header, as the format's own implementation has it. */
    static final int MAX_BYTES = 100_000_000;
    static final int PREFIX = Long.BYTES;
    static final String METADATA = "__metadata__";

    /** In the order of their data. */
    final List<Entry> entries = new ArrayList<>();
    final Map<String, String> metadata = new LinkedHashMap<>();
    /** Where the data begin in the file. */
    final long dataStart;
    final long dataBytes;

    private Header(long dataStart, long dataBytes) {
        this.dataStart = dataStart;
        this.dataBytes = dataBytes;
    }

    /** Reads and checks; `file` is for messages. */
    static Header read(FileChannel channel, String file) throws IOException {
        long size = channel.size();
        if (size < PREFIX) {
            throw new WeightsFormatException(file, "a file begins with 8 bytes of header length: bytes=" + size);
        }
        long length = bytes(channel, 0, PREFIX, file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 0 || length > size - PREFIX) {
            throw new WeightsFormatException(file, "the header must be within the file: header="
                + Long.toUnsignedString(length) + " left=" + (size - PREFIX));
        }
        if (length > MAX_BYTES) {
            throw new WeightsFormatException(file, "the header must have at most " + MAX_BYTES + " bytes: header="
                + length);
        }
        CharBuffer text = text(bytes(channel, PREFIX, (int) length, file), file);
        if (text.length() == 0 || text.charAt(0) != '{') {
            throw new WeightsFormatException(file, "the header must begin with {: header=" + length + " bytes");
        }
        Header header = new Header(PREFIX + length, size - PREFIX - length);
        header.parse(text, file);
        header.check(file);
        return header;
    }

    /** Exactly these bytes of a file. */
    static ByteBuffer bytes(FileChannel channel, long from, int count, String file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        fill(channel, from, bytes, file);
        return bytes.flip();
    }

    /** Fills a buffer from its position to its limit. */
    static void fill(FileChannel channel, long from, ByteBuffer buffer, String file) throws IOException {
        for (long at = from; buffer.hasRemaining();) {
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw new WeightsFormatException(file, "the file ended while it was read: position=" + at + " missing="
                    + buffer.remaining());
            }
            at += count;
        }
    }

    /** UTF-8, strictly. */
    static CharBuffer text(ByteBuffer bytes, String file) throws WeightsFormatException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes);
        } catch (CharacterCodingException e) {
            throw new WeightsFormatException(file, "the JSON must be UTF-8: position=" + bytes.position(), e);
        }
    }

    private void parse(CharBuffer text, String file) throws WeightsFormatException {
        String[] current = {""};
        try {
            JsonReader.read(text, json -> json.object(name -> {
                current[0] = name;
                if (name.equals(METADATA)) {
                    json.object(key -> metadata.put(key, json.string()));
                } else {
                    entries.add(Entry.read(json, name));
                }
            }));
        } catch (JsonReader.Malformed e) {
            String last = current[0].isEmpty() ? "" : " (the last entry begun is " + current[0] + ")";
            throw new WeightsFormatException(file, e.getMessage() + last, e);
        }
    }

    /** Each entry for itself, then that they lie one behind the other from the first byte to the last. */
    private void check(String file) throws WeightsFormatException {
        for (Entry entry : entries) {
            String defect = entry.defect(dataBytes);
            if (defect != null) {
                throw new WeightsFormatException(file, entry.name() + ": " + defect);
            }
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry entry : entries) {
            if (entry.begin() != end) {
                throw new WeightsFormatException(file, entry.name()
                    + ": the tensors must follow each other without gap or overlap: begin=" + entry.begin()
                    + " end of the one before=" + end);
            }
            end = entry.end();
        }
        if (end != dataBytes) {
            throw new WeightsFormatException(file, "the tensors must fill the data: end of the last=" + end + " data="
                + dataBytes);
        }
    }
}
