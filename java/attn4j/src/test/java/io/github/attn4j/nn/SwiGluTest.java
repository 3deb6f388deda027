// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.SteadyState;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The feed-forward against doubles, its memory, and its rules. */
class SwiGluTest {
    private static final int WIDTH = 19, HIDDEN = 35;

    private final TensorScope scope = TensorScope.open();

    @AfterEach
    void close() {
        scope.close();
    }

    private Map<String, Tensor> weights() {
        Map<String, Tensor> weights = new HashMap<>();
        weights.put("gate_proj.weight", Samples.normal(scope, 1, HIDDEN, WIDTH));
        weights.put("up_proj.weight", Samples.normal(scope, 2, HIDDEN, WIDTH));
        weights.put("down_proj.weight", Samples.normal(scope, 3, WIDTH, HIDDEN));
        return weights;
    }

    private static double dot(Tensor weight, int row, double[] x) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += weight.at(row, i) * x[i];
        }
        return sum;
    }

    private static double[] expected(Map<String, Tensor> weights, Tensor x, int row) {
        double[] in = new double[WIDTH];
        double[] hidden = new double[HIDDEN];
        double[] out = new double[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            in[i] = x.at(row, i);
        }
        for (int h = 0; h < HIDDEN; h++) {
            double gate = dot(weights.get("gate_proj.weight"), h, in);
            hidden[h] = gate / (1 + Math.exp(-gate)) * dot(weights.get("up_proj.weight"), h, in);
        }
        for (int o = 0; o < WIDTH; o++) {
            out[o] = dot(weights.get("down_proj.weight"), o, hidden);
        }
        return out;
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void definition(Isa isa) {
        Map<String, Tensor> weights = weights();
        try (SwiGlu layer = SwiGlu.builder(WIDTH, HIDDEN).isa(isa).build()) {
            layer.load(weights);
            for (int rows : new int[] {1, 40, 3}) {
                Tensor x = Samples.normal(scope, 4 + rows, rows, WIDTH);
                Tensor out = Samples.marked(scope, rows, WIDTH);
                layer.run(x, x, out);
                float[] plain = layer.apply(scope, x.reshape(1, rows, WIDTH)).toFloatArray();
                for (int row = 0; row < rows; row++) {
                    double[] expected = expected(weights, x, row);
                    for (int o = 0; o < WIDTH; o++) {
                        assertEquals(expected[o], plain[row * WIDTH + o], 2e-3);
                        assertEquals(expected[o] + x.at(row, o), out.at(row, o), 2e-3);
                    }
                }
            }
        }
    }

    @Test
    void steadyState() {
        try (SwiGlu layer = SwiGlu.builder(WIDTH, HIDDEN).threads(1).build()) {
            layer.load(weights());
            Tensor x = Samples.normal(scope, 4, 2, WIDTH);
            Tensor out = Samples.marked(scope, 2, WIDTH);
            SteadyState.assertAllocatesNothing(() -> layer.run(x, x, out));
        }
    }

    @Test
    void rules() {
        SwiGlu layer = SwiGlu.builder(WIDTH, HIDDEN).build();
        Tensor x = Samples.normal(scope, 4, 2, WIDTH);
        Tensor out = Samples.marked(scope, 2, WIDTH);
        thrown(IllegalStateException.class, "load() them first", () -> layer.run(x, null, out));
        Map<String, Tensor> wrong = weights();
        wrong.put("down_proj.weight", wrong.get("up_proj.weight"));
        wrong.put("bias", x);
        wrong.remove("gate_proj.weight");
        refused("missing=[gate_proj.weight] unexpected=[bias] misshapen=[down_proj.weight=", () -> layer.load(wrong));
        layer.load(weights());
        refused("x.size(1)=5 width=19", () -> layer.run(Samples.normal(scope, 1, 2, 5), null, out));
        refused("out.size(0)=2 x.size(0)=3", () -> layer.run(Samples.normal(scope, 1, 3, WIDTH), null, out));
        refused("residual.size(1)=4 out.size(1)=19", () -> layer.run(x, Samples.normal(scope, 1, 2, 4), out));
        refused("out must not overlap x", () -> layer.run(out, null, out));
        refused("out must not overlap residual", () -> layer.run(x, out, out));
        refused("read-only", () -> layer.run(x, null, out.asReadOnly()));
        refused("width=0", () -> SwiGlu.builder(0, 1));
        refused("hidden=0", () -> SwiGlu.builder(1, 0));
        layer.close();
        layer.close();
        thrown(IllegalStateException.class, "this SwiGlu is closed", () -> layer.run(x, null, out));
        assertArrayEquals(Samples.marked(scope, 2, WIDTH).toFloatArray(), out.toFloatArray());
    }
}
