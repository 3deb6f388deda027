// SPDX-License-Identifier: Apache-2.0
// One turn of attn4j_bench: the same call without a JVM, or the unfused baseline. It also measures the machine's limit.
package io.github.attn4j.bench.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Expected;
import io.github.attn4j.bench.model.Model;
import io.github.attn4j.bench.module.ModuleShape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

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
        try {
            read(new ObjectMapper().readTree(said), cell);
        } catch (JsonProcessingException | IllegalStateException e) {
            cell.failure = e.getMessage();
        }
    }

    private static void read(JsonNode json, Cell cell) {
        double error = json.path("max_error").asDouble(Double.NaN);
        Expected.require(cell.contender, error, Expected.tolerance(cell.type()));
        cell.add(json.get("median_ms").asDouble() * NANOSECONDS, error, -1);
        cell.share.add(json.get("share").asDouble());
        cell.limit = json.get("limit_gflops").asDouble();
        cell.readLimit = json.path("limit_gbs").asDouble();
        cell.allocated = -1;
        cell.about = (json.has("by") ? json.get("by").asText() : "attn4j") + " without a JVM, "
                + json.get("isa").asText() + ", threads=" + cell.threads;
    }

    static List<String> command(Cell cell, Path program, double seconds) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        if (cell.scenario.equals("model")) {
            List<Integer> lengths = Model.lengths(Integer.parseInt(cell.shape));
            command.addAll(List.of("model", "--lengths",
                    lengths.stream().map(String::valueOf).collect(Collectors.joining(","))));
        } else if (cell.scenario.equals("module")) {
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
        int isa = cell.contender.indexOf(Cell.ISA);
        if (isa >= 0) {
            command.addAll(List.of("--isa", cell.contender.substring(isa + 1)));
        }
        if (cell.ours()) {
            command.addAll(List.of("--dtype", cell.type()));
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
