// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a query does not see changes no bit of its row; NaN that it sees comes out, there and nowhere else. */
class PoisonTest {
    private static final int BATCH = 2;
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final int KEYS = 150;
    private static final int DIM = 24;
    private static final float[] POISONS = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 3e38f, -3e38f};
    /** At the edges of vectors and tiles of keys. */
    private static final int[] POISONED = {0, 1, 7, 16, 31, 64, 113, 127, 128, 148, 149};

    private enum Hiding { KEY_LENGTHS, CAUSAL, WINDOW, MASK, BIAS, ALL }

    /**
     * What is asked for, so that each kernel is met: that of blocks which also writes weights, that of blocks, of few.
     */
    private enum Way {
        WEIGHTS(37), BLOCKS(37), FEW(3);

        final int queries;

        Way(int queries) {
            this.queries = queries;
        }
    }

    static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        Samples.isas().forEach(isa -> {
            for (Hiding hiding : Hiding.values()) {
                for (DType type : new DType[] {DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16}) {
                    for (Way way : Way.values()) {
                        cases.add(Arguments.of(isa, hiding, type, way));
                    }
                }
            }
        });
        return cases.stream();
    }

    @ParameterizedTest(name = "{0} {1} {2} {3}")
    @MethodSource("cases")
    void hiddenKeysAndValuesHaveNoInfluence(Isa isa, Hiding hiding, DType type, Way way) {
        try (Bench bench = new Bench(isa, hiding, type, way)) {
            Results clean = bench.run();
            for (int j : POISONED) {
                for (float poison : POISONS) {
                    bench.fill(bench.k, j, -1, poison);
                    bench.fill(bench.v, j, -1, poison);
                    Results poisoned = bench.run();
                    bench.forRows((b, h, i) -> {
                        // Batch entry 1 and the second key-value head are clean.
                        boolean sees = b == 0 && h < HEADS / KV_HEADS && bench.sees(b, h, i, j);
                        if (!sees) {
                            bench.assertSameRow(clean, poisoned, b, h, i, 0, DIM, hiding + " j=" + j + " " + poison);
                        } else if (Float.isNaN(poison)) {
                            bench.assertNaNRow(poisoned, b, h, i);
                        }
                    });
                    bench.restore();
                }
            }
        }
    }

    @ParameterizedTest(name = "{0} {1} {2} {3}")
    @MethodSource("cases")
    void nanInAValueComesOutInItsColumn(Isa isa, Hiding hiding, DType type, Way way) {
        try (Bench bench = new Bench(isa, hiding, type, way)) {
            Results clean = bench.run();
            for (int j : POISONED) {
                int column = j % DIM;
                bench.fill(bench.v, j, column, Float.NaN);
                Results poisoned = bench.run();
                bench.forRows((b, h, i) -> {
                    boolean sees = b == 0 && h < HEADS / KV_HEADS && bench.sees(b, h, i, j);
                    bench.assertSameRow(clean, poisoned, b, h, i, 0, column, "left of j=" + j);
                    bench.assertSameRow(clean, poisoned, b, h, i, column + 1, DIM, "right of j=" + j);
                    if (sees) {
                        assertTrue(Float.isNaN(poisoned.out[bench.row(b, h, i) * DIM + column]), "j=" + j + " i=" + i);
                    }
                });
                bench.restore();
            }
        }
    }

    @ParameterizedTest(name = "{0} {1} {2} {3}")
    @MethodSource("cases")
    void nanInAQueryStaysInItsRow(Isa isa, Hiding hiding, DType type, Way way) {
        try (Bench bench = new Bench(isa, hiding, type, way)) {
            Results clean = bench.run();
            for (int poisoned : way == Way.FEW ? new int[] {0, 1, 2} : new int[] {0, 3, 15, 16, 36}) {
                bench.fill(bench.q, poisoned, -1, Float.NaN);
                Results results = bench.run();
                bench.forRows((b, h, i) -> {
                    boolean any = false;
                    for (int j = 0; j < KEYS; j++) {
                        any |= bench.sees(b, h, i, j);
                    }
                    if (b == 0 && h == 0 && i == poisoned && any) {
                        bench.assertNaNRow(results, b, h, i);
                    } else {
                        bench.assertSameRow(clean, results, b, h, i, 0, DIM, "q " + poisoned);
                    }
                });
                bench.restore();
            }
        }
    }

    private interface EachRow {
        void accept(int b, int h, int i);
    }

    private record Results(float[] out, float[] lse, float[] weights) {}

    /** Attention that hides keys in one way. */
    private static final class Bench implements AutoCloseable {
        final TensorScope scope = TensorScope.open();
        final Definition definition = new Definition();
        final Tensor q;
        final Tensor k;
        final Tensor v;
        private final float[][] clean = new float[3][];
        private final int queries;
        private final Tensor out;
        private final Tensor lse;
        /** Of no keys where they are not asked for. */
        private final Tensor weights;
        private final AttentionInputs inputs;
        private final AttentionPlan plan;
        private final long[] lengths = {KEYS, KEYS};
        private final long[] offsets;

        Bench(Isa isa, Hiding hiding, DType type, Way way) {
            queries = way.queries;
            offsets = new long[] {KEYS - queries, KEYS - queries};
            out = scope.zeros(DType.FLOAT32, BATCH, HEADS, queries, DIM);
            lse = scope.zeros(DType.FLOAT32, BATCH, HEADS, queries);
            weights = scope.zeros(DType.FLOAT32, BATCH, HEADS, queries, way == Way.WEIGHTS ? KEYS : 0);
            q = scope.zeros(type, BATCH, HEADS, queries, DIM)
                .copyFrom(Samples.normal(1, BATCH * HEADS * queries * DIM));
            k = scope.zeros(type, BATCH, KV_HEADS, KEYS, DIM)
                .copyFrom(Samples.normal(2, BATCH * KV_HEADS * KEYS * DIM));
            v = scope.zeros(type, BATCH, KV_HEADS, KEYS, DIM)
                .copyFrom(Samples.normal(3, BATCH * KV_HEADS * KEYS * DIM));
            clean[0] = q.toFloatArray();
            clean[1] = k.toFloatArray();
            clean[2] = v.toFloatArray();
            inputs = AttentionInputs.of(q, k, v, out).lse(lse).scores(way == Way.WEIGHTS ? weights : null);
            Attention.Builder builder = Attention.builder().isa(isa);
            if (way == Way.WEIGHTS) {
                builder.weights();
            }
            if (hiding == Hiding.KEY_LENGTHS || hiding == Hiding.ALL) {
                lengths[0] = 113;
                lengths[1] = 0;
            }
            if (hiding == Hiding.CAUSAL || hiding == Hiding.ALL) {
                // The first rows see nothing; of few, the last two see a key that is poisoned.
                offsets[0] = hiding == Hiding.ALL ? 100 : way == Way.FEW ? -1 : -5;
                definition.causal = true;
                builder.causal();
            }
            if (hiding == Hiding.WINDOW || hiding == Hiding.ALL) {
                definition.windowLeft = 30;
                definition.windowRight = 3;
                builder.window(30, 3);
            }
            Random random = new Random(4);
            if (hiding == Hiding.MASK || hiding == Hiding.ALL) {
                boolean[] kept = new boolean[queries * KEYS];
                for (int i = 0; i < kept.length; i++) {
                    kept[i] = i >= KEYS && random.nextBoolean();
                }
                inputs.mask(scope.of(kept, queries, KEYS));
                definition.mask = (b, h, i, j) -> kept[i * KEYS + j];
            }
            if (hiding == Hiding.BIAS || hiding == Hiding.ALL) {
                float[] added = Samples.normal(5, queries * KEYS);
                for (int i = 0; i < added.length; i++) {
                    added[i] = random.nextBoolean() ? added[i] : Float.NEGATIVE_INFINITY;
                }
                inputs.bias(scope.of(added, queries, KEYS));
                definition.bias = (b, h, i, j) -> added[i * KEYS + j];
            }
            inputs.keyLengths(scope.of(lengths, BATCH)).offsets(scope.of(offsets, BATCH));
            plan = builder.build().plan(inputs);
            assertEquals(isa.label(), plan.isa());
        }

        Results run() {
            plan.run(inputs);
            return new Results(out.toFloatArray(), lse.toFloatArray(), weights.toFloatArray());
        }

        /** A row of batch entry 0 and head 0, or one of its columns. */
        void fill(Tensor tensor, int row, int column, float value) {
            Tensor part = tensor.select(0, 0).select(0, 0).select(0, row);
            Tensor filled = column < 0 ? part : part.slice(0, column, column + 1);
            float[] values = new float[(int) filled.elements()];
            Arrays.fill(values, value);
            filled.copyFrom(values);
        }

        void restore() {
            q.copyFrom(clean[0]);
            k.copyFrom(clean[1]);
            v.copyFrom(clean[2]);
        }

        /** With a bias of -inf a key has no influence either. */
        boolean sees(int b, int h, int i, int j) {
            return definition.isVisible(b, h, i, j, lengths[b], offsets[b])
                && (definition.bias == null || definition.bias.at(b, h, i, j) != Double.NEGATIVE_INFINITY);
        }

        int row(int b, int h, int i) {
            return (b * HEADS + h) * queries + i;
        }

        void forRows(EachRow each) {
            for (int b = 0; b < BATCH; b++) {
                for (int h = 0; h < HEADS; h++) {
                    for (int i = 0; i < queries; i++) {
                        each.accept(b, h, i);
                    }
                }
            }
        }

        /** The columns [from, to) of out, and all of lse and weights where out is compared whole. */
        void assertSameRow(Results clean, Results poisoned, int b, int h, int i, int from, int to, String what) {
            int row = row(b, h, i);
            assertSame(clean.out, poisoned.out, row * DIM + from, row * DIM + to, "out " + what + " row " + row);
            assertSame(clean.lse, poisoned.lse, row, row + 1, "lse " + what + " row " + row);
            if (clean.weights.length > 0) {
                assertSame(clean.weights, poisoned.weights, row * KEYS, (row + 1) * KEYS,
                    "weights " + what + " row " + row);
            }
        }

        private static void assertSame(float[] expected, float[] actual, int from, int to, String what) {
            int at = Arrays.mismatch(expected, from, to, actual, from, to);
            if (at >= 0) {
                assertEquals(expected[from + at], actual[from + at], what + " element " + at);
            }
        }

        void assertNaNRow(Results results, int b, int h, int i) {
            int row = row(b, h, i);
            for (int d = 0; d < DIM; d++) {
                assertTrue(Float.isNaN(results.out[row * DIM + d]), "out of row " + row);
            }
            assertTrue(Float.isNaN(results.lse[row]), "lse of row " + row);
        }

        @Override
        public void close() {
            plan.close();
            scope.close();
        }
    }
}
