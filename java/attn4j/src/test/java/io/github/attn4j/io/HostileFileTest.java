// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import static io.github.attn4j.Expect.thrown;
import static io.github.attn4j.io.RawFile.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.attn4j.internal.NativeMemory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is no file of the format is refused with the rule, by either way of opening, and takes no memory. */
class HostileFileTest {
    @TempDir
    Path folder;

    @BeforeAll
    static void settle() {
        NativeMemory.settled();
    }

    private void refused(String part, byte[] content) throws IOException {
        Path file = Files.write(folder.resolve("file.safetensors"), content);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        thrown(WeightsFormatException.class, part, () -> Safetensors.open(file));
        long outside = NativeMemory.allocated();
        long before = threads.getCurrentThreadAllocatedBytes();
        thrown(WeightsFormatException.class, file + ": ", () -> Safetensors.read(file));
        assertTrue(threads.getCurrentThreadAllocatedBytes() - before < (1 << 20) + 32L * content.length);
        assertEquals(outside, NativeMemory.allocated());
    }

    private void refused(String part, String header, int data) throws IOException {
        refused(part, RawFile.of(header, data));
    }

    private void one(String part, String dtype, String shape, long begin, long end, int data) throws IOException {
        refused(part, "{" + entry("w", dtype, shape, begin, end) + "}", data);
    }

    @Test
    void lengthOfTheHeader() throws IOException {
        refused("8 bytes of header length: bytes=0", new byte[0]);
        refused("8 bytes of header length: bytes=7", new byte[7]);
        byte[] empty = "{}".getBytes(StandardCharsets.UTF_8);
        refused("header=3 left=2", RawFile.of(3, empty, 0));
        refused("header=9223372036854775807 left=2", RawFile.of(Long.MAX_VALUE, empty, 0));
        refused("header=18446744073709551615 left=2", RawFile.of(-1, empty, 0));
        refused("must begin with {: header=0 bytes", RawFile.of(0, empty, 0));
        refused("must begin with {: header=3 bytes", " {}", 0);
    }

    /** The file has the bytes it claims, without taking room on the disk. */
    @Test
    void headerOfMoreThanAHundredMegabytes() throws IOException {
        Path file = Files.write(folder.resolve("long.safetensors"), RawFile.of(100_000_001, new byte[0], 0));
        Sparse.extend(file, 200_000_000);
        thrown(WeightsFormatException.class, "at most 100000000 bytes: header=100000001", () -> Safetensors.open(file));
    }

    @Test
    void text() throws IOException {
        refused("must be UTF-8: position=2", RawFile.of(4, new byte[] {'{', '"', (byte) 0xff, '}'}, 0));
        refused("must be UTF-8", RawFile.of(4, new byte[] {'{', '"', (byte) 0xc0, (byte) 0x80}, 0));
        refused("must have a string: position=1 found=<w>", "{w", 0);
        refused("a comma or the end of the object: position=", "{" + entry("w", "I8", "[1]", 0, 1), 1);
        refused("nothing behind the document: position=3 found=<x>", "{} x", 0);
        refused("nothing behind the document: position=2", "{}\0", 0);
        refused("must have a string", "{" + entry("w", "I8", "[1]", 0, 1) + ",}", 1);
        refused("no control character", "{\"a\nb\":1}", 0);
        refused("whole surrogate pairs", "{\"\\ud800\":1}", 0);
        refused("each name once in an object: position=53 found=<\"w\":", "{" + entry("w", "I8", "[1]", 0, 1) + ","
            + entry("w", "I8", "[1]", 0, 1) + "}", 1);
        refused("each name once", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0);
        refused("each name once",
            "{\"w\":{\"dtype\":\"I8\",\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1);
    }

    @Test
    void wrongTypes() throws IOException {
        refused("must have an object: position=5 found=<1}> (the last entry begun is w)", "{\"w\":1}", 0);
        refused("must have an object", "{\"w\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}", 0);
        refused("must have an object", "{\"__metadata__\":\"text\"}", 0);
        refused("must have a string", "{\"__metadata__\":{\"a\":1}}", 0);
        refused("must have a string", "{\"w\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,1]}}", 1);
        refused("must have an array", "{\"w\":{\"dtype\":\"I8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1);
        refused("must have an integer", "{\"w\":{\"dtype\":\"I8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]}}", 1);
        refused("a comma or the end of the array", "{\"w\":{\"dtype\":\"I8\",\"shape\":[01],\"data_offsets\":[0,1]}}",
            1);
        refused("an integer that fits 64 bits", "{\"w\":{\"dtype\":\"I8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1);
        refused("fits 64 bits", "{\"w\":{\"dtype\":\"I8\",\"shape\":[9999999999999999999],\"data_offsets\":[0,1]}}", 1);
        refused("at most 2 integers", "{\"w\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1);
        refused("two data_offsets", "{\"w\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0]}}", 1);
        refused("dtype, shape and two", "{\"w\":{\"dtype\":\"I8\",\"data_offsets\":[0,1]}}", 1);
        refused("dtype, shape and two", "{\"w\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
        refused("only dtype, shape and data_offsets instead of more", "{\"w\":{\"more\":1}}", 1);
        one("at most 64 integers", "I8", "[" + "1,".repeat(64) + "1]", 0, 1, 1);
    }

    @Test
    void offsets() throws IOException {
        one("w: the tensor must lie within the data: data_offsets=[0, 8] data=7", "F32", "[2]", 0, 8, 7);
        one("data_offsets=[-1, 1] data=2", "I8", "[2]", -1, 1, 2);
        one("data_offsets=[2, 1] data=2", "I8", "[0]", 2, 1, 2);
        one("data_offsets=[0, 9223372036854775807] data=2", "I8", "[2]", 0, Long.MAX_VALUE, 2);
        one("w: the tensors must follow each other without gap or overlap: begin=1 end of the one before=0", "I8",
            "[1]", 1, 2, 2);
        one("must fill the data: end of the last=1 data=2", "I8", "[1]", 0, 1, 2);
        refused("must fill the data: end of the last=0 data=1", "{}", 1);
        refused("b: the tensors must follow each other without gap or overlap: begin=1 end of the one before=2",
            "{" + entry("a", "I8", "[2]", 0, 2) + "," + entry("b", "I8", "[2]", 1, 3) + "}", 3);
        refused("b: the tensors must follow each other without gap or overlap: begin=3 end of the one before=2",
            "{" + entry("b", "I8", "[1]", 3, 4) + "," + entry("a", "I8", "[2]", 0, 2) + "}", 4);
        refused("begin=0 end of the one before=2", "{" + entry("a", "I8", "[2]", 0, 2) + ","
            + entry("b", "I8", "[2]", 0, 2) + "}", 2);
    }

    @Test
    void shapes() throws IOException {
        one("w: sizes must be at least 0: size=-2 shape=[-2, -2]", "I8", "[-2,-2]", 0, 4, 4);
        one("must fit a long: shape=[4294967296, 4294967296]", "I8", "[4294967296,4294967296]", 0, 0, 0);
        one("must fit a long: shape=[0, 9223372036854775807]", "I8", "[0,9223372036854775807]", 0, 0, 0);
        one("w: the bytes must be those of the shape: data_offsets=[0, 4] bytes=4 shape=[2] dtype=F32 needed=8", "F32",
            "[2]", 0, 4, 4);
        one("shape=[] dtype=BF16 needed=2", "BF16", "[]", 0, 4, 4);
        one("shape=[0, 3] dtype=I64 needed=0", "I64", "[0,3]", 0, 4, 4);
        one("shape=[1099511627776] dtype=F64 needed=8", "F64", "[1099511627776]", 0, 4, 4);
        one("shape=[3] dtype=F4 needed=1.5", "F4", "[3]", 0, 2, 2);
    }

    @Test
    void notAFile() {
        thrown(WeightsFormatException.class, "regular file", () -> Safetensors.open(folder));
        thrown(NoSuchFileException.class, "none", () -> Safetensors.open(folder.resolve("none.safetensors")));
    }
}
