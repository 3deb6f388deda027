// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Random problems over all options, on every instruction set, against the definition in double precision. The property
 * attn4j.differential.cases says how many, attn4j.differential.seed which. A failure is made as small as it gets and
 * printed as a line; attn4j.differential.case=LINE runs that alone.
 */
class DifferentialTest {
    private static final String PREFIX = "attn4j.differential.";
    private static final List<Isa> ISAS = Samples.isas().toList();

    @Test
    void everyProblemIsSolved() {
        String line = System.getProperty(PREFIX + "case");
        if (line != null) {
            assertNull(failure(Problem.parse(line)), line);
            return;
        }
        int cases = Integer.getInteger(PREFIX + "cases", 20_000);
        int seed = Integer.getInteger(PREFIX + "seed", (int) System.nanoTime());
        System.out.println("differential: cases=" + cases + " seed=" + seed + " isas=" + ISAS);
        for (int i = 0; i < cases; i++) {
            Problem problem = Problem.random(seed + i);
            if (failure(problem) != null) {
                Problem small = shrink(problem);
                System.out.println("differential FAILED " + failure(small) + "\n  rerun with -D" + PREFIX + "case=\""
                    + small + "\"");
                throw new AssertionError(small + ": " + failure(small));
            }
        }
    }

    /** Those that random ones came upon: a weight of bfloat16 was rounded after dropout's factor. */
    @Test
    void problemsOfThePastAreSolved() {
        for (String line : List.of(
            "batch=2 dropout=2 keyLengths=1 keys=3 kvHeads=3 seed=-1782497933 types=40 valueDim=8")) {
            assertNull(failure(Problem.parse(line)), line);
        }
    }

    @Test
    void aLineIsTheProblem() {
        for (int seed = 0; seed < 100; seed++) {
            String line = Problem.random(seed).toString();
            assertEquals(line, Problem.parse(line).toString());
        }
    }

    /** Takes the first simpler problem that fails too, until there is none. */
    private static Problem shrink(Problem problem) {
        Problem smallest = problem;
        for (boolean progress = true; progress;) {
            progress = false;
            for (Problem simpler : smallest.simpler()) {
                if (failure(simpler) != null) {
                    smallest = simpler;
                    progress = true;
                    break;
                }
            }
        }
        return smallest;
    }

    /** Null, or what went wrong first, and on which instruction set. */
    private static String failure(Problem problem) {
        try (Trial trial = new Trial(problem)) {
            for (Isa isa : ISAS) {
                String difference = trial.run(isa);
                if (difference != null) {
                    return isa.label() + " " + difference;
                }
            }
            return null;
        } catch (RuntimeException e) {
            return e.toString();
        }
    }
}
