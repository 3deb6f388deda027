// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.attn4j.internal.NativeMemory;
import io.github.attn4j.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files open with tensors whose every element can be read, or are a WeightsFormatException; nothing else, and
 * for no more memory than a multiple of the file. The property attn4j.seed repeats a run.
 */
class SafetensorsFuzzTest {
    private static final int MUTATIONS = 30_000;
    /** Objects and streams of opening a small file; measured 25 KB once its classes are loaded. */
    private static final long ALLOWANCE = 1 << 18;

    @TempDir
    Path folder;

    @Test
    void onlyDeclaredExceptionsComeOut() throws IOException {
        long seed = Long.getLong("attn4j.seed", System.nanoTime());
        System.out.println("SafetensorsFuzzTest: attn4j.seed=" + seed);
        Random random = new Random(seed);
        List<byte[]> valid = valid();
        Path file = folder.resolve("fuzzed.safetensors");
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long outside = NativeMemory.settled();
        int opened = 0;
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] content = mutated(valid.get(random.nextInt(valid.size())), valid, random);
            Files.write(file, content);
            String mutation = "seed=" + seed + " mutation=" + i;
            long allowed = ALLOWANCE + 64L * content.length;
            long allocated = 0;
            boolean accepted = false;
            // Whoever comes first to a line of code also pays for its classes and lambdas; the file costs each time.
            for (int turn = 0; turn == 0 || turn == 1 && allocated > allowed; turn++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                accepted = opens(file, i % 2 == 0, outside + content.length, mutation);
                allocated = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertTrue(allocated <= allowed, allocated + " bytes of " + allowed + ", " + mutation);
            assertEquals(outside, NativeMemory.allocated(), mutation);
            if (accepted) {
                opened++;
            } else {
                refused++;
            }
        }
        // Were all refused or all accepted, the mutations would test little.
        assertTrue(opened > MUTATIONS / 50 && refused > MUTATIONS / 5, "opened=" + opened + " refused=" + refused);
    }

    /** Whether the file opens, and every element can be read, or is refused; outside the heap it keeps to the limit. */
    private static boolean opens(Path file, boolean mapped, long limit, String mutation) {
        try (Safetensors weights = mapped ? Safetensors.open(file) : Safetensors.read(file)) {
            assertTrue(NativeMemory.allocated() <= limit, mutation);
            weights.tensors().values().forEach(SafetensorsFuzzTest::touch);
            return true;
        } catch (WeightsFormatException e) {
            return false;
        } catch (Throwable e) {
            throw new AssertionError(mutation, e);
        }
    }

    private static void touch(Tensor tensor) {
        assertEquals(tensor.elements(), SafetensorsWriterTest.bits(tensor).length);
    }

    private static List<byte[]> valid() throws IOException {
        List<byte[]> files = new ArrayList<>();
        files.add(Files.readAllBytes(RawFile.real()));
        files.add(RawFile.of("{}", 0));
        files.add(RawFile.of("{\"__metadata__\":{\"a\":\"\\u00e9\\n\"}," + RawFile.entry("w", "F32", "[2,3]", 0, 24)
            + "," + RawFile.entry("b", "I64", "[]", 24, 32) + "," + RawFile.entry("c", "BF16", "[0]", 32, 32) + "}  ",
            32));
        return files;
    }

    private static byte[] mutated(byte[] valid, List<byte[]> all, Random random) {
        byte[] content = valid.clone();
        for (int count = 1 + random.nextInt(3); count > 0 && content.length > 0; count--) {
            int at = random.nextInt(content.length);
            switch (random.nextInt(7)) {
                case 0 -> content[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> content = Arrays.copyOf(content, at);
                case 2 -> content[at] = (byte) random.nextInt(256);
                case 3 -> content = splice(content, at, at, part(all.get(random.nextInt(all.size())), random));
                case 4 -> content = splice(content, at, Math.min(content.length, at + random.nextInt(9)), new byte[0]);
                case 5 -> content = replaceDigit(content, at, random);
                default -> content = rewritten(content, random);
            }
        }
        return content;
    }

    private static byte[] part(byte[] source, Random random) {
        int from = random.nextInt(source.length);
        return Arrays.copyOfRange(source, from, Math.min(source.length, from + random.nextInt(40)));
    }

    private static byte[] splice(byte[] content, int from, int to, byte[] inserted) {
        byte[] result = new byte[content.length - (to - from) + inserted.length];
        System.arraycopy(content, 0, result, 0, from);
        System.arraycopy(inserted, 0, result, from, inserted.length);
        System.arraycopy(content, to, result, from + inserted.length, content.length - to);
        return result;
    }

    /** The next digit becomes another number, perhaps a huge or a negative one. */
    private static byte[] replaceDigit(byte[] content, int from, Random random) {
        String[] numbers = {"0", "1", "7", "-1", "9223372036854775807", "4294967296", "1e3", "00",
            "99999999999999999999"};
        for (int at = from; at < content.length; at++) {
            if (content[at] >= '0' && content[at] <= '9') {
                return splice(content, at, at + 1, numbers[random.nextInt(numbers.length)]
                    .getBytes(StandardCharsets.US_ASCII));
            }
        }
        return content;
    }

    /** The header's length made right again, so that what was inserted is read, too. */
    private static byte[] rewritten(byte[] content, Random random) {
        int end = new String(content, StandardCharsets.ISO_8859_1).lastIndexOf('}') + 1;
        if (end <= 8) {
            return content;
        }
        byte[] tail = Arrays.copyOfRange(content, 8, content.length);
        return RawFile.of(end - 8 + random.nextInt(2), tail, 0);
    }
}
