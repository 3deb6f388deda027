// SPDX-License-Identifier: Apache-2.0
// One turn of attn4j_bench: the same call without a JVM, or the unfused baseline. It also measures the machine's limit.
package io.github.attn4j.bench.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.module.ModuleShape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

final class NativeTurn {
    private static final double NANOSECONDS = 1e6;

    private NativeTurn() {}

    static void take(Cell cell, Path program, double seconds) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command(cell, program, seconds)).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            cell.failure = said;
            return;
        }
        JsonNode json = new ObjectMapper().readTree(said);
        cell.nanoseconds.add(json.get("median_ms").asDouble() * NANOSECONDS);
        cell.limit = json.get("limit_gflops").asDouble();
        cell.error = json.get("max_error").asDouble();
        cell.allocated = -1;
        cell.memory = -1;
        cell.about = (json.has("by") ? json.get("by").asText() : "attn4j") + " without a JVM, "
                + json.get("isa").asText() + ", threads=" + cell.threads;
    }

    static List<String> command(Cell cell, Path program, double seconds) {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        if (cell.scenario.equals("module")) {
            ModuleShape s = ModuleShape.parse(cell.shape);
            command.add("module");
            add(command, "batch", s.batch());
            add(command, "queries", s.rows());
            add(command, "width", s.width());
            add(command, "heads", s.heads());
        } else {
            AttentionShape s = AttentionShape.parse(cell.shape);
            boolean named = cell.scenario.equals("overhead") || cell.scenario.equals("decode");
            command.add(named ? cell.scenario : "prefill");
            add(command, "batch", s.batch());
            add(command, "heads", s.heads());
            add(command, "kv-heads", s.kvHeads());
            add(command, "queries", s.queries());
            add(command, "keys", s.keys());
            add(command, "head-dim", s.headDim());
            if (s.causal()) {
                command.add("--causal");
            }
            if (cell.contender.equals(Cell.NATIVE + "openblas")) {
                command.add("--unfused");
            }
        }
        String[] nameAndIsa = cell.contender.split("@");
        if (nameAndIsa.length == 2) {
            command.addAll(List.of("--isa", nameAndIsa[1]));
        }
        int type = nameAndIsa[0].lastIndexOf('-');
        if (type >= 0) {
            command.addAll(List.of("--dtype", nameAndIsa[0].substring(type + 1)));
        }
        add(command, "threads", cell.threads);
        command.addAll(List.of("--seconds", Double.toString(seconds)));
        return command;
    }

    private static void add(List<String> command, String name, int value) {
        command.add("--" + name);
        command.add(Integer.toString(value));
    }
}
