// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Contradictions are refused when a plan is built, the rest when it runs, with both values; nothing is written. */
class BadOptionsTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor q = Samples.normal(scope, 1, 2, 4, 3, 8);
    private final Tensor k = Samples.normal(scope, 2, 2, 2, 5, 8);
    private final Tensor out = Samples.marked(scope, 2, 4, 3, 8);
    private final float[] before = out.toFloatArray();

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(before, out.toFloatArray());
        scope.close();
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }

    private Tensor mask(long... sizes) {
        return scope.zeros(DType.BOOL, sizes);
    }

    private AttentionInputs inputs() {
        return AttentionInputs.of(q, k, k, out);
    }

    private void notPlanned(String part, Attention.Builder builder, AttentionInputs inputs) {
        refused(part, () -> builder.build().plan(inputs));
    }

    /** A plan of the one does not run the other. */
    private void notRun(String part, Attention.Builder builder, AttentionInputs planned, AttentionInputs run) {
        try (AttentionPlan plan = builder.build().plan(planned)) {
            refused(part, () -> plan.run(run));
        }
    }

    private void notRun(String part, UnaryOperator<AttentionInputs> change) {
        notRun(part, Attention.builder(), inputs(), change.apply(inputs()));
    }

    @Test
    void valuesOfOptions() {
        refused("softcap=-1.0", () -> Attention.builder().softcap(-1));
        refused("softcap=NaN", () -> Attention.builder().softcap(Float.NaN));
        refused("dropout=1.0", () -> Attention.builder().dropout(1));
        refused("dropout=-0.1", () -> Attention.builder().dropout(-0.1));
        refused("left=-2 right=3", () -> Attention.builder().window(-2, 3));
        refused("left=0 right=-7", () -> Attention.builder().window(0, -7));
        thrown(NullPointerException.class, "stage", () -> Attention.builder().scores(null));
    }

    @Test
    void masksThatDoNotBroadcast() {
        notPlanned("mask.size(3)=4 keys=5", Attention.builder(), inputs().mask(mask(1, 1, 3, 4)));
        notPlanned("mask.size(0)=2 queries=3", Attention.builder(), inputs().mask(mask(2, 5)));
        notPlanned("bias.size(0)=3 batch=2", Attention.builder(), inputs().bias(zeros(3, 1, 3, 5)));
        notPlanned("bias.size(0)=2 heads=4", Attention.builder(), inputs().bias(zeros(2, 3, 5)));
        notPlanned("rank=5", Attention.builder(), inputs().bias(zeros(1, 1, 1, 1, 5)));
        notPlanned("rank=0", Attention.builder(), inputs().mask(mask()));
        notPlanned("dtype=FLOAT32 expected=BOOL", Attention.builder(), inputs().mask(zeros(3, 5)));
        notPlanned("dtype=BFLOAT16 expected=FLOAT32, cast it first", Attention.builder(),
            inputs().bias(scope.zeros(DType.BFLOAT16, 3, 5)));
        notPlanned("stride(1)=3", Attention.builder(), inputs().bias(zeros(5, 3).transpose(0, 1)));
    }

    @Test
    void masksThatWereNotPlanned() {
        AttentionInputs full = inputs().mask(mask(2, 1, 3, 5));
        notRun("mask=null plan=with", Attention.builder(), full, inputs());
        notRun("plan=without", in -> in.bias(zeros(3, 5)));
        notRun("mask.size(2)=1 queries=3", Attention.builder(), full, inputs().mask(mask(2, 1, 1, 5)));
        notRun("one index for all heads in the plan: shape=[2, 0, 3, 5] heads=4", Attention.builder(), full,
            inputs().mask(mask(2, 0, 3, 5)));
        notRun("one index for all heads", Attention.builder(), full, inputs().mask(mask(2, 4, 3, 5)));
        notRun("stride of batch=21 planned=15", Attention.builder(), full,
            inputs().mask(mask(2, 1, 3, 7).slice(3, 0, 5)));
    }

    @Test
    void scoresThatDoNotFit() {
        Attention.Builder weights = Attention.builder().weights();
        notPlanned("scores=null stage=WEIGHTS", weights, inputs());
        notPlanned("stage=null", Attention.builder(), inputs().scores(zeros(2, 4, 3, 5)));
        notPlanned("scores.size(1)=1 heads=4", weights, inputs().scores(zeros(2, 1, 3, 5)));
        notPlanned("scores must have rank 4: rank=3", weights, inputs().scores(zeros(2, 3, 5)));
        notPlanned("scores must have rank 3: rank=4", Attention.builder().averagedWeights(),
            inputs().scores(zeros(2, 4, 3, 5)));
        notPlanned("read-only", weights, inputs().scores(zeros(2, 4, 3, 5).asReadOnly()));
        AttentionInputs planned = inputs().scores(zeros(2, 4, 3, 5));
        notRun("scores=null plan=with", weights, planned, inputs());
        Tensor bias = zeros(2, 4, 3, 5);
        notRun("scores must not overlap bias", weights, inputs().scores(bias).bias(zeros(2, 4, 3, 5)),
            inputs().scores(bias).bias(bias));
    }

    @Test
    void typesThatWereNotPlanned() {
        Tensor half = k.cast(scope, DType.FLOAT16);
        notRun("k must have the plan's type: k.dtype=FLOAT16 planned=FLOAT32", in -> in.operands(q, half, k, out));
        notPlanned("dtype=BOOL expected=FLOAT32, BFLOAT16 or FLOAT16", Attention.builder(),
            inputs().operands(q, mask(2, 2, 5, 8), k, out));
    }

    @Test
    void vectorsOfTheHeads() {
        notRun("slopes.size(0)=2 heads=4", in -> in.slopes(zeros(2)));
        notRun("sinks.size(0)=5 heads=4", in -> in.sinks(zeros(5)));
        notRun("sinks has the wrong rank: rank=2", in -> in.sinks(zeros(4, 1)));
        notRun("slopes must be contiguous: stride(0)=2", in -> in.slopes(zeros(4, 2).select(1, 0)));
        notRun("out must not overlap sinks", in -> in.sinks(out.select(0, 0).select(0, 0).select(0, 0).slice(0, 0, 4)));
    }

    @Test
    void lengthsOfSequences() {
        Tensor rows = zeros(4, 2, 8);
        Tensor good = scope.of(new long[] {0, 2, 4}, 3);
        Attention ragged = Attention.builder().ragged().build();
        refused("cuQueries[1]=3 cuQueries[2]=2",
            () -> ragged.plan(rows, rows, rows, rows, scope.of(new long[] {0, 3, 2}, 3), good));
        refused("cuKeys[2]=5 k.size(0)=4",
            () -> ragged.plan(rows, rows, rows, rows, good, scope.of(new long[] {0, 3, 5}, 3)));
        refused("cuKeys[0]=1", () -> ragged.plan(rows, rows, rows, rows, good, scope.of(new long[] {1, 3, 4}, 3)));
        AttentionInputs inputs = AttentionInputs.of(rows, rows, rows, zeros(4, 2, 8)).cumulative(good, good);
        refused("keyLengths=", () -> ragged.run(inputs.keyLengths(scope.of(new long[2], 2))));
        inputs.keyLengths(null).cumulative(scope.of(new long[] {0, 1, 4}, 3), good);
        refused("length[1]=3 plan=2", () -> ragged.run(inputs.bias(zeros(2, 5))));
        refused("bias.size(0)=3 batch=2", () -> ragged.run(inputs.bias(zeros(3, 1, 4, 4))));
    }
}
