// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.SteadyState;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is drawn, how often, and what is refused. */
class SamplerTest {
    private static final int DRAWS = 10_000;

    private final TensorScope scope = TensorScope.open();
    private final Tensor tokens = scope.of(new int[] {-7}, 1);

    @AfterEach
    void close() {
        scope.close();
    }

    private int draw(Sampler sampler, Tensor logits, long step) {
        sampler.run(logits, step, tokens);
        return tokens.toIntArray()[0];
    }

    private double[] frequencies(Sampler sampler, Tensor logits) {
        double[] seen = new double[(int) logits.size(1)];
        for (int step = 0; step < DRAWS; step++) {
            seen[draw(sampler, logits, step)] += 1.0 / DRAWS;
        }
        return seen;
    }

    /** The standard deviation of a frequency is at most 0.005. */
    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void probabilities(Isa isa) {
        // Of temperature 2 the weights are 1, 2, 4, 8.
        Tensor logits = scope.of(
            new float[] {0, (float) Math.log(4), (float) Math.log(16), (float) Math.log(64)}, 1, 4);
        Sampler.Builder options = Sampler.builder().temperature(2).seed(5).isa(isa);
        assertArrayEquals(new double[] {1 / 15.0, 2 / 15.0, 4 / 15.0, 8 / 15.0},
            frequencies(options.build(), logits), 0.025);
        assertArrayEquals(new double[] {0, 2 / 14.0, 4 / 14.0, 8 / 14.0},
            frequencies(options.topK(3).build(), logits), 0.025);
        assertArrayEquals(new double[] {0, 0, 1 / 3.0, 2 / 3.0},
            frequencies(options.topP(0.8).build(), logits), 0.025);
        assertArrayEquals(new double[] {0, 0, 0, 1}, frequencies(options.temperature(0).build(), logits), 1e-9);
    }

    @Test
    void seedAndStepDecide() {
        Tensor logits = scope.zeros(DType.FLOAT32, 1, 1 << 20);
        Sampler five = Sampler.builder().seed(5).build();
        int token = draw(five, logits, 3);
        assertEquals(token, draw(Sampler.builder().seed(5).threads(1).build(), logits, 3));
        assertNotEquals(token, draw(five, logits, 4));
        assertNotEquals(token, draw(Sampler.builder().seed(6).build(), logits, 3));
    }

    @Test
    void rowsAreDrawnEachForItself() {
        Tensor logits = scope.zeros(DType.FLOAT32, 2, 3, 1000);
        Tensor six = scope.of(new int[6], 6);
        Sampler.builder().build().run(logits, 0, six);
        assertTrue(Arrays.stream(six.toIntArray()).distinct().count() > 1);
    }

    @Test
    void steadyState() {
        Tensor logits = Samples.normal(scope, 1, 1, 300);
        Sampler sampler = Sampler.builder().topK(50).topP(0.9).threads(1).build();
        SteadyState.assertAllocatesNothing(() -> sampler.run(logits, 1, tokens));
    }

    @Test
    void rules() {
        Sampler sampler = Sampler.builder().build();
        Tensor logits = Samples.normal(scope, 1, 1, 4);
        refused("temperature=-1.0", () -> Sampler.builder().temperature(-1));
        refused("temperature=NaN", () -> Sampler.builder().temperature(Double.NaN));
        refused("topK=-1", () -> Sampler.builder().topK(-1));
        refused("topP=0.0", () -> Sampler.builder().topP(0));
        refused("topP=1.5", () -> Sampler.builder().topP(1.5));
        refused("step=-1", () -> sampler.run(logits, -1, tokens));
        refused("vocabulary=0", () -> sampler.run(scope.zeros(DType.FLOAT32, 1, 0), 0, tokens));
        refused("tokens.size(0)=1 logits.rows=2", () -> sampler.run(Samples.normal(scope, 1, 2, 4), 0, tokens));
        refused("dtype=INT64 expected=INT32", () -> sampler.run(logits, 0, scope.of(new long[1], 1)));
        refused("read-only", () -> sampler.run(logits, 0, tokens.asReadOnly()));
        thrown(NullPointerException.class, "logits must not be null", () -> sampler.run(null, 0, tokens));
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            Tensor with = scope.of(new float[] {0, 1, bad, 2}, 1, 4);
            refused("logits must be numbers below infinity: logits[0, 2]=", () -> sampler.run(with, 0, tokens));
        }
        Tensor none = scope.of(new float[] {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY}, 1, 2);
        refused("must not be -inf throughout: row=0 vocabulary=2", () -> sampler.run(none, 0, tokens));
        assertArrayEquals(new int[] {-7}, tokens.toIntArray());
    }
}
