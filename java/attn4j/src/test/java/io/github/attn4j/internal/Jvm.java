// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Another JVM, and what it says until it ends: read from its pipe, so that no file is left behind. */
final class Jvm {
    private final Process process;
    private String output;

    private Jvm(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(arguments);
        command.add(0, Path.of(System.getProperty("java.home"), "bin", "java").toString());
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    static Jvm start(String... options) throws IOException {
        return startOn(System.getProperty("java.class.path"), options);
    }

    static Jvm startOn(String classPath, String... options) throws IOException {
        return startMain(Child.class, classPath, options);
    }

    static Jvm startMain(Class<?> main, String classPath, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(options));
        if (Runtime.version().feature() >= 22) {
            arguments.add("--enable-native-access=ALL-UNNAMED");
        }
        arguments.addAll(List.of("-cp", classPath, main.getName()));
        return new Jvm(arguments);
    }

    static Jvm startModule(String main, String classPath, List<String> options) throws IOException {
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of("-cp", classPath, "-m", main));
        return new Jvm(arguments);
    }

    /** The exit code (0, or anything else for 1) and what the output contains. */
    void expect(int code, String... parts) throws InterruptedException, IOException {
        assertEquals(code == 0, end() == 0, this::output);
        for (String part : parts) {
            assertTrue(output.contains(part), () -> "expected <" + part + "> in " + output);
        }
    }

    void expectAny(String... parts) throws InterruptedException, IOException {
        end();
        assertTrue(Stream.of(parts).anyMatch(output::contains), this::output);
    }

    void expectNot(String part) throws InterruptedException, IOException {
        assertEquals(0, end(), this::output);
        assertFalse(output.contains(part),
            () -> output.lines().filter(line -> line.contains(part)).toList().toString());
    }

    /** All of it; after what was expected. */
    String output() {
        return output;
    }

    private int end() throws InterruptedException, IOException {
        output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor();
    }
}
