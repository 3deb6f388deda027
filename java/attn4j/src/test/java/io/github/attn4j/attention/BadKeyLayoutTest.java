// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Scales and pages that do not fit: an exception with both values, and nothing is written. */
class BadKeyLayoutTest {
    private final TensorScope scope = TensorScope.open();
    private final Attention attention = Attention.builder().build();
    private final Tensor q = Samples.normal(scope, 1, 2, 4, 3, 8);
    private final Tensor out = Samples.marked(scope, 2, 4, 3, 8);
    /** [batch, kvHeads, keys, headDim] and its scales. */
    private final Tensor bytes = scope.zeros(DType.INT8, 2, 2, 6, 8);
    private final Tensor scales = zeros(2, 2, 6);
    /** [pages, kvHeads, pageSize, headDim] and a table of two columns. */
    private final Tensor pages = zeros(5, 2, 3, 8);
    private final Tensor table = scope.of(new long[] {4, 0, 2, 3}, 2, 2);

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(Samples.marked(scope, 2, 4, 3, 8).toFloatArray(), out.toFloatArray());
        scope.close();
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }

    private AttentionInputs in(Tensor k) {
        return AttentionInputs.of(q, k, k, out);
    }

    @Test
    void scalesThatDoNotFitTheKeys() {
        refused("kScales must be given exactly where k is INT8: k.dtype=INT8 kScales=null",
            () -> attention.run(in(bytes)));
        refused("vScales must be given exactly where v is INT8: v.dtype=INT8 vScales=null",
            () -> attention.run(in(bytes).scales(scales, null)));
        refused("k.dtype=FLOAT32 kScales=FLOAT32[2, 2, 6]",
            () -> attention.run(in(zeros(2, 2, 6, 8)).scales(scales, null)));
        refused("kScales.size(2)=5 k.size(2)=6", () -> attention.run(in(bytes).scales(zeros(2, 2, 5), scales)));
        refused("vScales.size(1)=1 v.size(1)=2", () -> attention.run(in(bytes).scales(scales, zeros(2, 1, 6))));
        refused("kScales.size(0)=1 k.size(0)=2", () -> attention.run(in(bytes).scales(zeros(1, 2, 6), scales)));
        refused("kScales has the wrong rank: rank=4 expected=3",
            () -> attention.run(in(bytes).scales(zeros(2, 2, 6, 1), scales)));
        refused("kScales has the wrong type: dtype=FLOAT16 expected=FLOAT32",
            () -> attention.run(in(bytes).scales(scope.zeros(DType.FLOAT16, 2, 2, 6), scales)));
        refused("kScales must have innermost stride 1: stride(2)=2",
            () -> attention.run(in(bytes).scales(zeros(2, 6, 2).transpose(1, 2), scales)));
        refused("q has the wrong type: dtype=INT8", () -> attention.run(AttentionInputs.of(
            scope.zeros(DType.INT8, 2, 4, 3, 8), bytes, bytes, out).scales(scales, scales)));
        refused("k has the wrong type: dtype=INT32", () -> attention.run(in(scope.zeros(DType.INT32, 2, 2, 6, 8))));
        Tensor shared = zeros(2 * 4 * 3 * 8);
        refused("out must not overlap kScales", () -> attention.run(AttentionInputs.of(q, bytes, bytes,
            shared.reshape(2, 4, 3, 8)).scales(shared.slice(0, 8, 32).reshape(2, 2, 6), scales)));
    }

    @Test
    void scalesThatDoNotFitThePlan() {
        try (AttentionPlan plan = attention.plan(in(bytes).scales(scales, scales))) {
            plan.run(AttentionInputs.of(q, bytes, bytes, zeros(2, 4, 3, 8)).scales(scales, scales));
            refused("k.dtype=FLOAT32 planned=INT8", () -> plan.run(in(zeros(2, 2, 6, 8))));
            refused("vScales.stride(0)=14 planned=12",
                () -> plan.run(in(bytes).scales(scales, zeros(2, 2, 7).slice(2, 0, 6))));
            refused("pages=INT64[2, 2] plan=without", () -> plan.run(in(scope.zeros(DType.INT8, 5, 2, 3, 8))
                .scales(zeros(5, 2, 3), zeros(5, 2, 3)).pages(table)));
            refused("k.dtype=INT8 kScales=null", () -> plan.run(q, bytes, bytes, out));
        }
    }

    @Test
    void pagesThatDoNotFit() {
        for (long wrong : new long[] {5, -1, Long.MAX_VALUE}) {
            refused("pages must lie between 0 and 4: pages[1, 0]=" + wrong,
                () -> attention.run(in(pages).pages(scope.of(new long[] {0, 1, wrong, 2}, 2, 2))));
        }
        refused("pages.size(0)=1 batch=2", () -> attention.run(in(pages).pages(table.slice(0, 0, 1))));
        refused("pages has the wrong type: dtype=INT32 expected=INT64",
            () -> attention.run(in(pages).pages(scope.zeros(DType.INT32, 2, 2))));
        refused("pages has the wrong rank: rank=1", () -> attention.run(in(pages).pages(scope.zeros(DType.INT64, 4))));
        refused("pages must have innermost stride 1: stride(1)=2",
            () -> attention.run(in(pages).pages(table.transpose(0, 1))));
        refused("the rows of a page, must be at least 1", () -> attention.run(in(zeros(5, 2, 0, 8)).pages(table)));
        refused("v.size(0)=4 pages=5",
            () -> attention.run(AttentionInputs.of(q, pages, zeros(4, 2, 3, 8), out).pages(table)));
        refused("v.size(2)=2 pageSize=3",
            () -> attention.run(AttentionInputs.of(q, pages, zeros(5, 2, 2, 8), out).pages(table)));
        refused("keyLengths[1]=7 keys=6", () -> attention.run(in(pages).pages(table)
            .keyLengths(scope.of(new long[] {6, 7}, 2))));
        refused("kScales.size(0)=2 k.size(0)=5", () -> attention.run(in(scope.zeros(DType.INT8, 5, 2, 3, 8))
            .scales(zeros(2, 2, 3), zeros(5, 2, 3)).pages(table)));
    }

    @Test
    void pagesThatDoNotFitThePlan() {
        try (AttentionPlan plan = attention.plan(in(pages).pages(table))) {
            plan.run(AttentionInputs.of(q, pages, pages, zeros(2, 4, 3, 8)).pages(table));
            refused("pages=null plan=with", () -> plan.run(in(zeros(2, 2, 3, 8))));
            refused("k.size(0)=4 the plan's pages=5", () -> plan.run(in(zeros(4, 2, 3, 8)).pages(table)));
            refused("k.size(2)=2 the plan's pageSize=3", () -> plan.run(in(zeros(5, 2, 2, 8)).pages(table)));
            refused("pages.size(1)=3 planned=2", () -> plan.run(in(pages).pages(scope.zeros(DType.INT64, 2, 3))));
            refused("pages.stride(0)=3 planned=2",
                () -> plan.run(in(pages).pages(scope.zeros(DType.INT64, 2, 3).slice(1, 0, 2))));
        }
    }

    @Test
    void scalesThatDoNotFitRaggedKeys() {
        Attention ragged = Attention.builder().ragged().build();
        Tensor cu = scope.of(new long[] {0, 2, 6}, 3);
        Tensor rows = scope.zeros(DType.INT8, 6, 2, 8);
        AttentionInputs inputs = AttentionInputs.of(zeros(6, 4, 8), rows, rows, zeros(6, 4, 8)).cumulative(cu, cu);
        refused("k.dtype=INT8 kScales=null", () -> ragged.run(inputs));
        refused("kScales has the wrong rank: rank=3 expected=2", () -> ragged.run(inputs.scales(scales, scales)));
        refused("kScales.size(0)=6 k.size(1)=2", () -> ragged.run(inputs.scales(zeros(6, 2), zeros(2, 6))));
        refused("vScales.size(1)=5 v.size(0)=6", () -> ragged.run(inputs.scales(zeros(2, 6), zeros(2, 5))));
        try (AttentionPlan plan = ragged.plan(inputs.scales(zeros(2, 6), zeros(2, 6)))) {
            plan.run(inputs);
            refused("vScales.stride(0)=7 planned=6",
                () -> plan.run(inputs.scales(zeros(2, 6), zeros(2, 7).slice(1, 0, 6))));
        }
    }

    @Test
    void pagesThatDoNotFitRaggedSequences() {
        Attention ragged = Attention.builder().ragged().build();
        Tensor cuQueries = scope.of(new long[] {0, 1, 6}, 3);
        Tensor rows = zeros(6, 4, 8);
        AttentionInputs inputs = AttentionInputs.of(rows, pages, pages, zeros(6, 4, 8)).pages(table)
            .cumulative(cuQueries, scope.of(new long[] {0, 6, 12}, 3));
        refused("length[1]=7 pages.size(1) * pageSize=6",
            () -> ragged.plan(inputs.cumulative(cuQueries, scope.of(new long[] {0, 1, 8}, 3))));
        refused("cuKeys[1]=4 cuKeys[2]=3",
            () -> ragged.plan(inputs.cumulative(cuQueries, scope.of(new long[] {0, 4, 3}, 3))));
        inputs.cumulative(cuQueries, scope.of(new long[] {0, 6, 12}, 3));
        refused("pages.size(0)=1 sequences=2", () -> ragged.run(inputs.pages(table.slice(0, 0, 1))));
        refused("k has the wrong rank: rank=3 expected=4", () -> ragged.run(AttentionInputs.of(rows, zeros(6, 2, 8),
            zeros(6, 2, 8), zeros(6, 4, 8)).pages(table).cumulative(cuQueries, cuQueries)));
        try (AttentionPlan plan = ragged.plan(inputs.pages(table))) {
            plan.run(inputs);
            Tensor narrow = table.slice(1, 0, 1);
            refused("length[0]=6 pages.size(1) * pageSize=3", () -> plan.run(inputs.pages(narrow)));
            plan.run(inputs.cumulative(cuQueries, scope.of(new long[] {0, 3, 6}, 3)));
            refused("pages must lie between 0 and 4: pages[1, 0]=5",
                () -> plan.run(inputs.pages(scope.of(new long[] {0, 1, 5, 2}, 2, 2))));
            refused("pages=null plan=with", () -> plan.run(AttentionInputs.of(rows, zeros(6, 2, 8), zeros(6, 2, 8),
                zeros(6, 4, 8)).cumulative(cuQueries, cuQueries)));
        }
    }

    @Test
    void segmentsHaveTheirOwn() {
        try (SegmentedAttention segmented = new SegmentedAttention(attention)) {
            List<KeyValues> floats = List.of(new KeyValues(zeros(2, 2, 6, 8), zeros(2, 2, 6, 8)));
            refused("kScales=FLOAT32[2, 2, 6] expected=null", () -> segmented.run(
                AttentionInputs.of(q, null, null, out).scales(scales, scales), floats));
            refused("pages=INT64[2, 2] expected=null", () -> segmented.run(
                AttentionInputs.of(q, null, null, out).pages(table), floats));
            refused("k.dtype=INT8 kScales=null", () -> segmented.run(q, List.of(new KeyValues(bytes, bytes)), out));
            refused("vScales.size(2)=5 v.size(2)=6", () -> segmented.run(q,
                List.of(new KeyValues(bytes, bytes, scales, zeros(2, 2, 5))), out));
        }
    }
}
