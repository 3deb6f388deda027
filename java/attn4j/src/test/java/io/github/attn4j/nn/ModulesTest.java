// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each module against doubles, on awkward sizes; the conformance cases are PyTorch's word on the same. */
class ModulesTest {
    private static final double TOLERANCE = 1e-5;
    private static final double EPSILON = 1e-6;

    private final TensorScope scope = TensorScope.open();

    /** batch, queries, keys, heads, headDim. */
    static Stream<Arguments> sizes() {
        int[][] sizes = {{1, 1, 1, 1, 1}, {2, 3, 7, 3, 5}, {3, 17, 9, 2, 16}, {1, 33, 65, 5, 3}, {2, 5, 0, 2, 4},
            {0, 5, 3, 2, 4}};
        return Samples.isas().flatMap(isa -> Stream.of(sizes).map(s -> Arguments.of(isa, s)));
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private Tensor normal(long seed, long... sizes) {
        return Samples.normal(scope, seed, sizes);
    }

    /** Where a row of these widths begins and ends is no multiple of anything. */
    private Tensor strided(long seed, long batch, long rows, long width) {
        return normal(seed, batch, rows, width + 3).slice(2, 1, width + 1);
    }

    private void expect(ProjectedAttention module, String names, String out, ModuleInputs inputs,
                        Doubles.Visible visible) {
        Map<String, Tensor> state = module.state();
        String[] name = names.split(" ");
        int heads = (int) module.blueprint.heads();
        int dim = (int) module.blueprint.headDim;
        WeightedOutput output = module.applyWithWeights(scope, inputs);
        for (int b = 0; b < inputs.query.size(0); b++) {
            double[][] query = Doubles.rows(inputs.query.select(0, b));
            double[][] key = Doubles.linear(Doubles.rows(inputs.key.select(0, b)), state, name[1]);
            double[][] value = Doubles.linear(Doubles.rows(inputs.value.select(0, b)), state, name[2]);
            double[][][] weights = new double[heads][query.length][key.length];
            double[][] context = Doubles.attend(Doubles.linear(query, state, name[0]), key, value, heads, dim, visible,
                weights);
            if (name.length > 3) {
                Doubles.gate(context, Doubles.linear(query, state, name[3]));
            }
            Doubles.assertClose(out == null ? context : Doubles.linear(context, state, out), output.out().select(0, b),
                TOLERANCE);
            for (int h = 0; h < heads; h++) {
                Doubles.assertClose(weights[h], output.weights().select(0, b).select(0, h), TOLERANCE);
            }
        }
        assertArrayEquals(output.out().toFloatArray(), module.apply(scope, inputs).toFloatArray());
    }

    private static boolean odd(int head, int query, int key) {
        return (query + key) % 3 != 1;
    }

    private Tensor oddMask(long queries, long keys) {
        boolean[] mask = new boolean[(int) (queries * keys)];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = odd(0, (int) (i / keys), (int) (i % keys));
        }
        return scope.of(mask, 1, queries, keys);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void separateInputs(Isa isa, int[] s) {
        long width = s[3] * s[4];
        ModuleInputs inputs = ModuleInputs.of(strided(1, s[0], s[1], width), strided(2, s[0], s[2], width),
            strided(3, s[0], s[2], width), null).mask(oddMask(s[1], s[2]));
        expect(ModuleWeights.loaded(scope, ForcedModules.on(MultiHeadAttention.builder(width, s[3]), isa).build(), 1),
            "q_linear k_linear v_linear", "out", inputs, ModulesTest::odd);
        expect(ModuleWeights.loaded(scope, ForcedModules.on(MultiHeadedAttention.builder(width, s[3]), isa)
            .withoutBias().build(), 2), "linears.0 linears.1 linears.2", "linears.3", inputs, ModulesTest::odd);
        Tensor source = inputs.key;
        expect(ModuleWeights.loaded(scope, ForcedModules.on(CrossAttention.builder(width), isa).build(), 3),
            "query_linear key_linear value_linear", null, ModuleInputs.of(inputs.query, source, source, null),
            (h, i, j) -> true);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void oneInput(Isa isa, int[] s) {
        long width = s[3] * s[4];
        ModuleInputs inputs = ModuleInputs.of(strided(1, s[0], s[1], width), null);
        String names = "query_linear key_linear value_linear";
        Doubles.Visible all = (h, i, j) -> true;
        expect(ModuleWeights.loaded(scope, ForcedModules.on(MultiHeadSelfAttention.builder(width, s[3]), isa).build(),
            1), "query key value", "fc", inputs, all);
        expect(ModuleWeights.loaded(scope, ForcedModules.on(SelfAttention.builder(width), isa).build(), 2), names, null,
            inputs, all);
        expect(ModuleWeights.loaded(scope, ForcedModules.on(GatedSelfAttention.builder(width), isa).build(), 3),
            names + " gate_linear", null, inputs, all);
        expect(ModuleWeights.loaded(scope, ForcedModules.on(GatedSelfAttention.builder(width, s[3]), isa)
            .gating(Gating.HEADWISE).build(), 4), names + " gate_linear", null, inputs, all);
    }

    /** batch, rows, heads, kvHeads, headDim, and which options there are. */
    static Stream<Arguments> grouped() {
        int[][] sizes = {{1, 1, 1, 1, 2}, {2, 9, 6, 2, 6}, {1, 40, 4, 1, 16}};
        return Samples.isas().flatMap(isa -> Stream.of(sizes).flatMap(s -> Stream.of("", "causal", "causal rotary",
            "norm rotary elementwise", "causal window norm rotary headwise bias").map(o -> Arguments.of(isa, s, o))));
    }

    @ParameterizedTest
    @MethodSource("grouped")
    void groupedQueries(Isa isa, int[] s, String options) {
        int width = 11;
        int heads = s[2];
        int dim = s[4];
        GroupedQueryAttention.Builder builder = ForcedModules.on(GroupedQueryAttention.builder(width, heads, s[3]), isa)
            .headDim(dim);
        boolean causal = options.contains("causal");
        boolean window = options.contains("window");
        if (causal) {
            builder.causal();
        }
        if (window) {
            builder.window(3, -1);
        }
        if (options.contains("rotary")) {
            builder.rotary(RotaryEmbedding.builder(RotaryTables.builder(dim).build(scope, 64)).isa(isa).build());
        }
        if (options.contains("norm")) {
            builder.queryKeyNorm(EPSILON);
        }
        if (options.contains("bias")) {
            builder.withBias();
        }
        boolean gated = options.contains("wise");
        builder.gating(!gated ? null : options.contains("headwise") ? Gating.HEADWISE : Gating.ELEMENTWISE);
        GroupedQueryAttention module = ModuleWeights.loaded(scope, builder.build(), 5);
        Map<String, Tensor> state = module.state();
        Tensor x = strided(1, s[0], s[1], width);
        Tensor y = module.apply(scope, x);
        for (int b = 0; b < s[0]; b++) {
            double[][] rows = Doubles.rows(x.select(0, b));
            double[][] q = Doubles.linear(rows, state, "q_proj");
            double[][] k = Doubles.linear(rows, state, "k_proj");
            if (options.contains("norm")) {
                Doubles.norm(q, dim, state.get("q_norm.weight"), EPSILON);
                Doubles.norm(k, dim, state.get("k_norm.weight"), EPSILON);
            }
            if (options.contains("rotary")) {
                Doubles.rotate(q, dim, dim, 0);
                Doubles.rotate(k, dim, dim, 0);
            }
            double[][] context = Doubles.attend(q, k, Doubles.linear(rows, state, "v_proj"), heads, dim,
                (h, i, j) -> (!causal || j <= i) && (!window || j >= i - 3), new double[heads][s[1]][s[1]]);
            if (gated) {
                Doubles.gate(context, Doubles.linear(rows, state, "gate_proj"));
            }
            Doubles.assertClose(Doubles.linear(context, state, "o_proj"), y.select(0, b), TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void severalQueriesAndSources(Isa isa) {
        int width = 15;
        GeneralizedQueryAttention module = ModuleWeights.loaded(scope,
            ForcedModules.on(GeneralizedQueryAttention.builder(width, 3), isa).build(), 7);
        int[][] keys = {{4, 0, 17}, {1}, {}};
        for (int[] each : keys) {
            List<Tensor> queries = List.of(normal(1, 2, 5, width), strided(2, 2, 33, width), normal(3, 2, 0, width));
            List<Tensor> sources = new ArrayList<>();
            int all = 0;
            for (int count : each) {
                sources.add(strided(10 + count, 2, count, width));
                all += count;
            }
            GeneralizedInputs inputs = GeneralizedInputs.of(queries, sources, null);
            List<Tensor> outs = module.apply(scope, inputs);
            WeightedOutputs masked = module.applyWithWeights(scope, inputs.mask(oddMask(38, all)));
            int first = 0;
            for (int i = 0; i < queries.size(); i++) {
                for (int b = 0; b < 2; b++) {
                    double[][] joint = new double[all][];
                    int row = 0;
                    for (Tensor source : sources) {
                        for (double[] one : Doubles.rows(source.select(0, b))) {
                            joint[row++] = one;
                        }
                    }
                    double[][] query = Doubles.rows(queries.get(i).select(0, b));
                    Map<String, Tensor> state = module.state();
                    double[][] q = Doubles.linear(query, state, "query_linear");
                    double[][] k = Doubles.linear(joint, state, "key_linear");
                    double[][] v = Doubles.linear(joint, state, "value_linear");
                    double[][][] weights = new double[3][query.length][all];
                    double[][] context = Doubles.attend(q, k, v, 3, 5, (h, r, c) -> true, weights);
                    Doubles.assertClose(Doubles.linear(context, state, "out_linear"), outs.get(i).select(0, b),
                        TOLERANCE);
                    int row0 = first;
                    context = Doubles.attend(q, k, v, 3, 5, (h, r, c) -> odd(h, row0 + r, c), weights);
                    Doubles.assertClose(Doubles.linear(context, state, "out_linear"), masked.outs().get(i).select(0, b),
                        TOLERANCE);
                    for (int h = 0; h < 3; h++) {
                        Doubles.assertClose(weights[h], masked.weights().select(0, b).select(0, h)
                            .slice(0, first, first + query.length), TOLERANCE);
                    }
                }
                first += (int) queries.get(i).size(1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void torchWhereOneHeadSeesNothing(Isa isa) {
        int heads = 2;
        TorchMultiheadAttention module = ModuleWeights.loaded(scope,
            ForcedModules.on(TorchMultiheadAttention.builder(6, heads), isa).build(), 9);
        Tensor x = normal(1, 4, 1, 6);
        boolean[] hidden = new boolean[heads * 4 * 4];
        java.util.Arrays.fill(hidden, 20, 24, true); // all keys of query 1 in head 1
        WeightedOutput output = module.applyWithWeights(scope,
            TorchInputs.of(x, x, x, null).attnMask(scope.of(hidden, heads, 4, 4)));
        Map<String, Tensor> packed = module.state();
        double[][] rows = Doubles.rows(x.select(1, 0));
        double[][][] parts = new double[3][][];
        for (int part = 0; part < 3; part++) {
            parts[part] = Doubles.linear(rows, Map.of("p.weight",
                packed.get("in_proj_weight").slice(0, 6 * part, 6 * part + 6), "p.bias",
                packed.get("in_proj_bias").slice(0, 6 * part, 6 * part + 6)), "p");
        }
        double[][][] weights = new double[heads][4][4];
        double[][] context = Doubles.attend(parts[0], parts[1], parts[2], heads, 3, (h, i, j) -> h != 1 || i != 1,
            weights);
        Doubles.assertClose(Doubles.linear(context, packed, "out_proj"), output.out().select(1, 0), TOLERANCE);
        for (int h = 0; h < heads; h++) {
            Doubles.assertClose(weights[h], output.weights().select(0, 0).select(0, h), TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void layersOfModules(Isa isa) {
        Tensor x = strided(1, 2, 5, 12);
        Tensor gamma = normal(2, 3);
        double[][] expected = Doubles.rows(scope.zeros(DType.FLOAT32, 10, 12).copyFrom(x.reshape(10, 12)));
        Doubles.norm(expected, 3, gamma, 0.25);
        Tensor heads = scope.zeros(DType.FLOAT32, 2, 5, 4, 3).copyFrom(x.reshape(2, 5, 4, 3));
        RmsNorm.builder(gamma).epsilon(0.25).isa(isa).build().run(heads, heads);
        Doubles.assertClose(expected, heads.reshape(10, 12), 2e-6);
        Tensor gate = normal(3, 2, 5, 4);
        Doubles.gate(expected, Doubles.rows(gate.reshape(10, 4)));
        Tensor gated = Gate.builder().isa(isa).build().apply(scope, heads.reshape(2, 5, 12), gate);
        Doubles.assertClose(expected, gated.reshape(10, 12), 2e-6);
    }
}
