// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A problem of attention as whole numbers by name, so that it prints as a line, is read from one, and shrinks. */
final class Problem {
    /** In the order of the line; in each the simplest value, which shrinking tries. */
    private static final Map<String, Integer> SIMPLEST = new TreeMap<>(Map.ofEntries(Map.entry("batch", 1),
        Map.entry("kvHeads", 1), Map.entry("group", 1), Map.entry("queries", 1), Map.entry("keys", 1),
        Map.entry("headDim", 1), Map.entry("valueDim", 1), Map.entry("causal", 0), Map.entry("topLeft", 0),
        Map.entry("offsets", 0),
        Map.entry("keyLengths", 0), Map.entry("left", -1), Map.entry("right", -1), Map.entry("softcap", 0),
        Map.entry("dropout", 0), Map.entry("slopes", 0), Map.entry("sinks", 0), Map.entry("biasRank", 0),
        Map.entry("biasDims", 0), Map.entry("maskRank", 0), Map.entry("maskDims", 0), Map.entry("stage", 0),
        Map.entry("lse", 0), Map.entry("ragged", 0), Map.entry("types", 0), Map.entry("layouts", 0),
        Map.entry("bytes", 0), Map.entry("pageRows", 0),
        Map.entry("threads", 1), Map.entry("scale", 0), Map.entry("seed", 0)));

    /** Sizes around vectors and tiles, primes, and what is often off by one. */
    private static final int[] DIMS = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 80};
    private static final int[] ROWS = {
        1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 97,
        127, 128, 129, 193, 257};
    private static final int[] PAGE_ROWS = {1, 2, 3, 7, 8, 16, 17, 32, 64};
    /** Multiplications of most problems, and of one in a hundred. */
    private static final double MANY = 5e4;
    private static final double MOST = 2e6;

    private final Map<String, Integer> values;

    private Problem(Map<String, Integer> values) {
        this.values = values;
    }

    /** The problem of a seed. */
    static Problem random(int seed) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        Problem p = new Problem(new TreeMap<>(SIMPLEST));
        p.set("seed", seed);
        double limit = random.nextInt(100) == 0 ? MOST : MANY;
        do {
            p.set("batch", random.nextInt(30) == 0 ? 0 : 1 + random.nextInt(3));
            p.set("kvHeads", 1 + random.nextInt(3));
            p.set("group", new int[] {1, 1, 1, 2, 3, 4, 7, 8}[random.nextInt(8)]);
            // A third are of few queries, as decoding has them.
            p.set("queries", random.nextInt(3) == 0 ? 1 + random.nextInt(16) : rows(random));
            p.set("keys", rows(random));
            p.set("headDim", DIMS[random.nextInt(DIMS.length)]);
            p.set("valueDim", random.nextBoolean() ? p.get("headDim") : DIMS[random.nextInt(DIMS.length)]);
        } while (p.operations() > limit);
        p.set("causal", random.nextInt(2));
        p.set("topLeft", random.nextInt(2));
        p.set("offsets", random.nextInt(3) == 0 ? 1 + random.nextInt(2) : 0);
        p.set("ragged", random.nextInt(5) == 0 ? 1 : 0);
        p.set("keyLengths", random.nextInt(3) == 0 && !p.is("ragged") ? 1 : 0);
        if (random.nextInt(3) == 0) {
            p.set("left", random.nextInt(p.get("keys") + 3) - 1);
            p.set("right", random.nextInt(p.get("keys") + 3) - 1);
        }
        p.set("softcap", random.nextInt(4) == 0 ? 1 + random.nextInt(50) : 0);
        p.set("dropout", random.nextInt(5) == 0 ? 1 + random.nextInt(3) : 0);
        p.set("slopes", random.nextInt(5) == 0 ? 1 : 0);
        p.set("sinks", random.nextInt(5) == 0 ? 1 : 0);
        p.set("biasRank", random.nextInt(3) == 0 ? 1 + random.nextInt(4) : 0);
        p.set("biasDims", random.nextInt(32));
        p.set("maskRank", random.nextInt(3) == 0 ? 1 + random.nextInt(4) : 0);
        p.set("maskDims", random.nextInt(32));
        p.set("stage", random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0);
        p.set("lse", random.nextInt(2));
        p.set("types", random.nextInt(3) == 0 ? random.nextInt(81) : 0);
        p.set("bytes", random.nextInt(4) == 0 ? 1 + random.nextInt(3) : 0);
        p.set("pageRows", random.nextInt(4) == 0 ? PAGE_ROWS[random.nextInt(PAGE_ROWS.length)] : 0);
        p.set("layouts", random.nextInt(2) == 0 ? random.nextInt(256) : 0);
        p.set("threads", random.nextInt(4));
        p.set("scale", random.nextInt(3));
        return p;
    }

    private static int rows(Random random) {
        return random.nextInt(30) == 0 ? 0 : ROWS[random.nextInt(ROWS.length)];
    }

    /** Reads a line that {@link #toString} wrote. */
    static Problem parse(String line) {
        Problem p = new Problem(new TreeMap<>(SIMPLEST));
        for (String entry : line.trim().split("\\s+")) {
            String[] parts = entry.split("=");
            if (parts.length != 2 || !SIMPLEST.containsKey(parts[0])) {
                throw new IllegalArgumentException("not a problem: entry=" + entry + " names=" + SIMPLEST.keySet());
            }
            p.set(parts[0], Integer.parseInt(parts[1]));
        }
        return p;
    }

    int get(String name) {
        return values.get(name);
    }

    boolean is(String name) {
        return get(name) != 0;
    }

    int heads() {
        return get("kvHeads") * get("group");
    }

    /** The type of an operand, 0 to 3 for q, k, v, out. */
    DType type(int operand) {
        if (operand == 1 && (get("bytes") & 1) != 0 || operand == 2 && (get("bytes") & 2) != 0) {
            return DType.INT8;
        }
        int digit = get("types") / (int) Math.pow(3, operand) % 3;
        return digit == 0 ? DType.FLOAT32 : digit == 1 ? DType.BFLOAT16 : DType.FLOAT16;
    }

    /** How an operand lies, 0 to 3. */
    int layout(int operand) {
        return get("layouts") >> 2 * operand & 3;
    }

    double dropout() {
        return new double[] {0, 0.1, 0.25, 0.5}[get("dropout")];
    }

    ScoreStage stage() {
        return !is("stage") ? null : averaged() ? ScoreStage.WEIGHTS : ScoreStage.values()[get("stage") - 1];
    }

    boolean averaged() {
        return get("stage") == 5;
    }

    /** The most of a sequence: as many as its pages have room for. All have, unless the problem is ragged. */
    int keys() {
        return !is("pageRows") ? get("keys") : (get("keys") + get("pageRows") - 1) / get("pageRows") * get("pageRows");
    }

    private double operations() {
        return (double) get("batch") * heads() * get("queries") * get("keys") * (get("headDim") + get("valueDim"));
    }

    private void set(String name, int value) {
        values.put(name, value);
    }

    private Problem with(String name, int value) {
        Problem changed = new Problem(new TreeMap<>(values));
        changed.set(name, value);
        return changed;
    }

    /** Simpler problems: each number at its simplest, or half way there. */
    List<Problem> simpler() {
        List<Problem> simpler = new ArrayList<>();
        SIMPLEST.forEach((name, simplest) -> {
            int value = get(name);
            if (value != simplest && !name.equals("seed")) {
                simpler.add(with(name, simplest));
                int half = simplest + (value - simplest) / 2;
                if (half != value && half != simplest) {
                    simpler.add(with(name, half));
                    simpler.add(with(name, value - 1));
                }
            }
        });
        return simpler;
    }

    @Override
    public String toString() {
        StringBuilder line = new StringBuilder();
        SIMPLEST.forEach((name, simplest) -> {
            if (get(name) != simplest || name.equals("seed")) {
                line.append(line.isEmpty() ? "" : " ").append(name).append('=').append(get(name));
            }
        });
        return line.toString();
    }
}
