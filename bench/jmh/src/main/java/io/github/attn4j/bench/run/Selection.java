// SPDX-License-Identifier: Apache-2.0
// What a set of measurements consists of. Durations are estimates for two processors, without building.
package io.github.attn4j.bench.run;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Cases, rounds, and what a turn consists of.
 *
 * @param rounds of all contenders
 * @param closeRounds of those that are close, in all
 */
record Selection(List<Case> cases, int rounds, int closeRounds, int warmups, int iterations, int milliseconds) {
    private static final List<String> UNFUSED = List.of("openblas", "native:openblas", "vector");
    private static final List<String> DECODE = List.of("native:attn4j-f32", "attn4j-f32", "attn4j-cache-f32",
            "pytorch-f32", "onnxruntime-attention", "onnxruntime-gqa", "native:attn4j-bf16", "attn4j-bf16",
            "pytorch-bf16");
    private static final List<String> GROWTH = List.of("attn4j-f32", "pytorch-f32", "onnxruntime-attention");
    private static final List<String> MODULE = List.of("native:attn4j-f32", "attn4j-f32", "pytorch-nn-f32",
            "pytorch-sdpa-f32", "onnxruntime-packed", "onnxruntime-mha", "djl");
    private static final List<String> MODEL =
            List.of("native:attn4j-f32", "attn4j-f32", "onnxruntime", "langchain4j");
    private static final List<String> ISAS =
            List.of("native:attn4j-f32@avx512", "native:attn4j-f32@avx2", "native:attn4j-f32@neon",
                    "native:attn4j-f32@scalar", "native:attn4j-bf16@amx", "native:attn4j-bf16@avx512bf16",
                    "native:attn4j-bf16@neonbf16");
    private static final String ISA_SHAPE = "1x12:512x512x64";
    private static final String PROMPT = "1x16:2048x2048x64:causal";
    private static final String CACHE = "1x32/8:1x4096x128";
    private static final String SENTENCES = "32";

    /** Where threads have work to share; the rest says no more of them. */
    private static final Map<String, List<String>> SCALING = Map.of("prefill", List.of(ISA_SHAPE, PROMPT),
            "decode", List.of(CACHE), "module", List.of("4x128x768/12", "32x128x768/12"), "model", List.of(SENTENCES));
    /** Far behind with one thread. */
    private static final List<String> SLOW = List.of("openblas", "vector", "java");

    static Selection named(String name) {
        return switch (name) {
            // Four to five minutes.
            case "quick" -> new Selection(quick(), 2, 5, 1, 2, 250);
            // Some 27 minutes with one number of threads, and 6 to 9 with each further one, see scaling.
            case "full" -> new Selection(full(), 2, 7, 1, 2, 250);
            default -> throw new IllegalArgumentException("a set is quick or full: set=" + name);
        };
    }

    /** The same with fewer scenarios; an empty list leaves all. */
    Selection only(List<String> scenarios) {
        Set<String> known = cases.stream().map(Case::scenario).collect(Collectors.toCollection(LinkedHashSet::new));
        for (String scenario : scenarios) {
            if (!known.contains(scenario)) {
                throw new IllegalArgumentException(
                        "a scenario is one of " + String.join(", ", known) + ": scenario=" + scenario);
            }
        }
        List<Case> chosen = cases.stream()
                .filter(one -> scenarios.isEmpty() || scenarios.contains(one.scenario()))
                .toList();
        return new Selection(chosen, rounds, closeRounds, warmups, iterations, milliseconds);
    }

    /** For a further number of threads: shapes that show how they scale, and all who may win them in float32. */
    Selection scaling() {
        List<Case> chosen = cases.stream()
                .filter(one -> SCALING.getOrDefault(one.scenario(), List.of()).contains(one.shape()))
                .map(one -> new Case(one.scenario(), one.shape(), one.contenders().stream()
                        .filter(name -> !name.endsWith("f16") && !SLOW.contains(name))
                        .toList()))
                .toList();
        return new Selection(chosen, rounds, closeRounds, warmups, iterations, milliseconds);
    }

    private static List<Case> quick() {
        List<Case> cases = new ArrayList<>(List.of(overhead(),
                new Case("prefill", ISA_SHAPE,
                        without(prefill(false, false), "openblas", "pytorch-bf16")),
                new Case("prefill", PROMPT,
                        without(prefill(true, false), "openblas", "native:openblas", "vector", "onnxruntime-mha",
                                "pytorch-bf16")),
                new Case("decode", CACHE, without(DECODE, "pytorch-bf16")),
                new Case("module", "4x128x768/12", without(MODULE, "onnxruntime-mha")),
                new Case("model", SENTENCES, MODEL)));
        growth(cases, without(GROWTH, "onnxruntime-attention"), 512, 4096, 32768);
        cases.add(new Case("isa", ISA_SHAPE, ISAS));
        return cases;
    }

    private static List<Case> full() {
        List<Case> cases = new ArrayList<>();
        cases.add(overhead());
        for (String shape : List.of("1x12:128x128x64", ISA_SHAPE, "1x16:2048x2048x64", PROMPT,
                "1x8:2048x2048x128", "1x32/8:2048x2048x128:causal")) {
            List<String> names = prefill(shape.endsWith("causal"), true);
            if (shape.contains("/")) {
                names = without(names, "onnxruntime-mha");
            }
            // PyTorch for the JVM has no bf16 multiplication without AMX: seconds a run.
            cases.add(new Case("prefill", shape,
                    shape.contains("2048") ? without(names, "pytorch-bf16", "java") : names));
        }
        List<String> decode = new ArrayList<>(DECODE);
        decode.addAll(List.of("attn4j-cache-bf16", "attn4j-f16", "openblas", "java", "vector"));
        for (int keys : new int[] {512, 4096, 32768}) {
            cases.add(new Case("decode", "1x32/8:1x" + keys + "x128", decode));
        }
        List<String> module = new ArrayList<>(MODULE);
        module.add("pytorch-sdpa-bf16");
        for (String shape : List.of("1x128x768/12", "4x512x768/12", "32x128x768/12")) {
            cases.add(new Case("module", shape, module));
        }
        for (String sentences : List.of("1", SENTENCES, "256")) {
            cases.add(new Case("model", sentences, MODEL));
        }
        growth(cases, GROWTH, 512, 1024, 2048, 4096, 8192, 16384, 32768);
        cases.add(new Case("isa", ISA_SHAPE, ISAS));
        return cases;
    }

    private static Case overhead() {
        return new Case("overhead", "1x12:8x8x64", List.of("native:attn4j-f32", "attn4j-f32", "attn4j-unplanned",
                "pytorch-f32", "onnxruntime-attention", "onnxruntime-mha"));
    }

    private static List<String> prefill(boolean causal, boolean all) {
        List<String> names = new ArrayList<>(List.of("native:attn4j-f32", "attn4j-f32", "pytorch-f32",
                "onnxruntime-attention", "onnxruntime-mha"));
        if (causal) {
            names.add("onnxruntime-gqa");
        }
        names.addAll(UNFUSED);
        names.addAll(List.of("native:attn4j-bf16", "attn4j-bf16", "pytorch-bf16"));
        if (all) {
            names.addAll(List.of("attn4j-f16", "java"));
        }
        return names;
    }

    private static void growth(List<Case> cases, List<String> contenders, int... keys) {
        for (int count : keys) {
            cases.add(new Case("growth", "1x4:512x" + count + "x64", contenders));
        }
    }

    private static List<String> without(List<String> contenders, String... left) {
        return contenders.stream().filter(name -> !List.of(left).contains(name)).toList();
    }
}
