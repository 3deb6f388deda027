// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Attn4j;
import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** To the last bit, a result depends neither on the threads nor on what else is in the batch. */
class SameBitsTest {
    private static final int BATCH = 3;
    private static final int HEADS = 4;
    private static final int QUERIES = 131;
    private static final int KEYS = 300;
    private static final int DIM = 40;

    private final int before = Attn4j.threads();
    private final TensorScope scope = TensorScope.open();
    private final Tensor q = Samples.normal(scope, 1, BATCH, HEADS, QUERIES, DIM);
    private final Tensor k = Samples.normal(scope, 2, BATCH, 2, KEYS, DIM);
    private final Tensor v = Samples.normal(scope, 3, BATCH, 2, KEYS, DIM);
    private final Tensor bias = Samples.normal(scope, 4, BATCH, 1, QUERIES, KEYS);
    private final Tensor slopes = scope.of(new float[] {0.5f, 0.25f, 0.125f, 0.0625f}, HEADS);
    private final Tensor sinks = scope.of(new float[] {0, 1, -1, 2}, HEADS);
    private final long[] lengths = {300, 17, 129};

    @BeforeEach
    void moreThreadsThanCores() {
        Attn4j.threads(8);
    }

    @AfterEach
    void close() {
        Attn4j.threads(before);
        scope.close();
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void forAnyNumberOfThreads(Isa isa) {
        float[][] one = all(isa, 1, 0, BATCH);
        for (int threads : new int[] {2, 3, 8}) {
            assertSame(one, all(isa, threads, 0, BATCH), 0);
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void aloneOrInABatch(Isa isa) {
        float[][] batch = all(isa, 8, 0, BATCH);
        for (int b = 0; b < BATCH; b++) {
            assertSame(all(isa, 1, b, b + 1), batch, b);
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void aloneOrEndToEnd(Isa isa) {
        Attention ragged = Attention.builder().causal().ragged().isa(isa).build();
        long[] cumulative = {0, 1, 100, 100, 330};
        Tensor rows = Samples.normal(scope, 5, 330, HEADS, DIM);
        Tensor cu = scope.of(cumulative, cumulative.length);
        float[] together = ragged.apply(scope, rows, rows, rows, cu, cu).toFloatArray();
        for (int b = 0; b < cumulative.length - 1; b++) {
            Tensor own = rows.slice(0, cumulative[b], cumulative[b + 1]);
            long count = own.size(0);
            Tensor alone = scope.of(new long[] {0, count}, 2);
            Tensor padded = own.transpose(0, 1).reshape(1, HEADS, count, DIM);
            float[] expected = part(together, (int) cumulative[b] * HEADS * DIM, (int) count * HEADS * DIM);
            assertArrayEquals(expected, ragged.apply(scope, own, own, own, alone, alone).toFloatArray());
            Attention plain = Attention.builder().causal().isa(isa).threads(2).build();
            assertArrayEquals(expected, plain.apply(scope, padded, padded, padded).select(0, 0).transpose(0, 1)
                .toFloatArray());
        }
    }

    /** out, lse and weights of the batch entries [from, to). */
    private float[][] all(Isa isa, int threads, int from, int to) {
        long count = to - from;
        Attention attention = Attention.builder().causal().window(100, -1).softcap(20).weights().isa(isa)
            .threads(threads).build();
        Tensor out = scope.zeros(DType.FLOAT32, count, HEADS, QUERIES, DIM);
        Tensor lse = scope.zeros(DType.FLOAT32, count, HEADS, QUERIES);
        Tensor weights = scope.zeros(DType.FLOAT32, count, HEADS, QUERIES, KEYS);
        attention.run(AttentionInputs.of(q.slice(0, from, to), k.slice(0, from, to), v.slice(0, from, to), out).lse(lse)
            .scores(weights).bias(bias.slice(0, from, to)).slopes(slopes).sinks(sinks)
            .keyLengths(scope.of(Arrays.copyOfRange(lengths, from, to), count)));
        return new float[][] {out.toFloatArray(), lse.toFloatArray(), weights.toFloatArray()};
    }

    /** What the one has, the other has at batch entry b. */
    private static void assertSame(float[][] expected, float[][] batch, int b) {
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], part(batch[i], b * expected[i].length, expected[i].length));
        }
    }

    private static float[] part(float[] values, int from, int count) {
        return Arrays.copyOfRange(values, from, from + count);
    }
}
