// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Where measurements were taken. Public fields are its JSON. */
public final class Machine {
    private static final List<String> ISA_FLAGS =
            List.of("amx_bf16", "avx512_bf16", "avx512f", "avx2", "bf16", "asimd");
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    /** The processor as it names itself. */
    public String processor = System.getProperty("os.arch");
    /** How many of them the system has. */
    public int processors = Runtime.getRuntime().availableProcessors();
    /** The operating system. */
    public String system = System.getProperty("os.name") + " " + System.getProperty("os.version");
    /** The Java virtual machine. */
    public String java = System.getProperty("java.vm.name") + " " + Runtime.version();
    /** The instruction sets that attention profits from, as Linux names them. */
    public List<String> flags = List.of();

    /** For JSON. */
    public Machine() {}

    static Machine here() throws IOException {
        Machine machine = new Machine();
        if (!Files.isReadable(CPUINFO)) {
            return machine;
        }
        List<String> lines = Files.readAllLines(CPUINFO);
        machine.processors = (int) lines.stream().filter(line -> line.startsWith("processor")).count();
        machine.processor = value(lines, "model name", machine.processor);
        machine.flags = List.of(value(lines, "flags", value(lines, "Features", "")).split(" ")).stream()
                .filter(flag -> flag.matches("avx2|fma|avx512(f|_bf16|_fp16|_vnni)|amx_.*|asimd.*|sve.*|bf16"))
                .toList();
        return machine;
    }

    /** {@return its processors in words} */
    public String name() {
        return processor + ", " + processors + " processors (" + String.join(" ", flags) + ")";
    }

    /** {@return a name for a folder: the processor and, as several share that, its best instruction set and number} */
    public String slug() {
        return (processor.replaceAll("\\((R|TM|r|tm)\\)", "") + " " + bestIsa() + " x" + processors)
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-");
    }

    private String bestIsa() {
        return ISA_FLAGS.stream().filter(flags::contains).findFirst().orElse("");
    }

    private static String value(List<String> lines, String key, String otherwise) {
        return lines.stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(otherwise);
    }
}
