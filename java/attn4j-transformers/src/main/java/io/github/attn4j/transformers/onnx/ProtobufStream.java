// SPDX-License-Identifier: Apache-2.0
// Walks the fields of nested protobuf messages. Every length is checked against the message around it, and the
// outermost against the size of the file, before anything of that length is read or allocated.
package io.github.attn4j.transformers.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

final class ProtobufStream {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int MAX_NAME_BYTES = 1 << 12;

    /** Reads the fields of one message: calls {@link #next} until it gives 0. */
    @FunctionalInterface
    interface Fields {
        void read() throws IOException;
    }

    private final CodedInputStream in;
    private final String file;
    private int tag;

    ProtobufStream(InputStream stream, long size, String file) throws IOException {
        this.file = file;
        if (size > Integer.MAX_VALUE) {
            throw new OnnxFormatException(
                    file, "a protobuf file is smaller than 2 GiB: size=" + size + " limit=" + Integer.MAX_VALUE);
        }
        in = CodedInputStream.newInstance(stream, BUFFER_BYTES);
        in.pushLimit((int) size);
    }

    /** Runs the reader of the whole file; what protobuf finds wrong becomes an exception that names the file. */
    void read(Fields fields) throws IOException {
        try {
            fields.read();
        } catch (InvalidProtocolBufferException e) {
            throw new OnnxFormatException(
                    file, "damaged or cut off near byte " + in.getTotalBytesRead() + ": " + e.getMessage(), e);
        } catch (OnnxFormatException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** The number of the next field of this message, 0 at its end. */
    int next() throws IOException {
        tag = in.readTag();
        return WireFormat.getTagFieldNumber(tag);
    }

    void skip() throws IOException {
        if (!in.skipField(tag)) {
            throw damaged("a group ends that never began");
        }
    }

    void message(String what, Fields fields) throws IOException {
        int outer = in.pushLimit(length(what));
        fields.read();
        if (!in.isAtEnd()) {
            throw damaged(what + " ends inside a field");
        }
        in.popLimit(outer);
    }

    String text(String what) throws IOException {
        int length = length(what);
        if (length > MAX_NAME_BYTES) {
            throw damaged(what + " is longer than a name: bytes=" + length + " limit=" + MAX_NAME_BYTES);
        }
        return new String(in.readRawBytes(length), StandardCharsets.UTF_8);
    }

    long integer(String what) throws IOException {
        expect(what, WireFormat.WIRETYPE_VARINT);
        return in.readInt64();
    }

    float float32(String what) throws IOException {
        expect(what, WireFormat.WIRETYPE_FIXED32);
        return in.readFloat();
    }

    /** True if the field holds bytes: a string, a message, or numbers packed into one field. */
    boolean isBytes() {
        return WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }

    /** The byte length of the field, which lies inside this message; its bytes follow. */
    int length(String what) throws IOException {
        expect(what, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        int length = in.readRawVarint32();
        int left = in.getBytesUntilLimit();
        if (length < 0 || length > left) {
            throw damaged(what + " is longer than what holds it, or the file is cut off: bytes="
                    + Integer.toUnsignedString(length) + " left=" + left);
        }
        return length;
    }

    /** Up to {@code limit} of the bytes that follow {@link #length}. */
    byte[] bytes(int left, int limit) throws IOException {
        return in.readRawBytes(Math.min(left, limit));
    }

    void skipBytes(int count) throws IOException {
        in.skipRawBytes(count);
    }

    /** The next of the packed integers of a field. */
    long packedInteger() throws IOException {
        return in.readInt64();
    }

    boolean atEnd() throws IOException {
        return in.isAtEnd();
    }

    OnnxFormatException damaged(String rule) {
        return new OnnxFormatException(file, "damaged near byte " + in.getTotalBytesRead() + ": " + rule);
    }

    private void expect(String what, int wireType) throws IOException {
        int found = WireFormat.getTagWireType(tag);
        if (found != wireType) {
            throw damaged(what + " has the wrong protobuf wire type: expected=" + wireType + " found=" + found);
        }
    }
}
