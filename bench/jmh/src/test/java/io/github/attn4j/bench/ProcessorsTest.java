// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorsTest {
    @TempDir
    private Path process;

    private void allow(String thread, String mask) throws IOException {
        Path folder = Files.createDirectories(process.resolve(thread));
        Files.writeString(folder.resolve("status"),
            "Name:\tjava\nCpus_allowed:\t" + mask + "\nCpus_allowed_list:\t7\n");
    }

    @Test
    void threadsOnTheProcessorsOfTheProcessAreAccepted() throws IOException {
        allow("", "00000001,00000006");
        allow("task/1", "00000001,00000006");
        allow("task/2", "00000001,00000000");
        allow("task/3", "4");
        Files.createDirectories(process.resolve("task/4"));
        Processors.require(process);
        Processors.require();
    }

    @Test
    void aThreadOnAnotherProcessorIsRefused() throws IOException {
        allow("", "00000001");
        allow("task/1", "00000001");
        allow("task/2", "10000002");
        assertEquals("threads may run on more processors than the process: threads={0, 1, 28} process={0}",
            assertThrows(IllegalStateException.class, () -> Processors.require(process)).getMessage());
    }
}
