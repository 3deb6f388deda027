// SPDX-License-Identifier: Apache-2.0
// Two environment variables make OpenBLAS choose kernels for another CPU than the one it runs on, at half the speed or
// less. A process cannot take them back from a library that reads them, so the demonstration starts itself once more.
package io.github.attn4j.transformers.demo;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

final class CleanEnvironment {
    private static final List<String> HARMFUL = List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE");

    private CleanEnvironment() {}

    /** Runs {@code main} without the variables if any is set, and gives its exit code; otherwise empty. */
    static OptionalInt rerun(Class<?> main, String[] arguments) throws IOException, InterruptedException {
        if (HARMFUL.stream().noneMatch(System.getenv()::containsKey)) {
            return OptionalInt.empty();
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        HARMFUL.forEach(builder.environment()::remove);
        return OptionalInt.of(builder.start().waitFor());
    }
}
