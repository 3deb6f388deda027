// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.NativeMemory;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each bad input gives an exception with both values, and nothing is written. */
class BadCacheInputTest {
    private final TensorScope scope = TensorScope.open();
    private final Tensor q = Samples.normal(scope, 1, 2, 4, 3, 8);
    private final Tensor k = Samples.normal(scope, 2, 2, 2, 5, 8);
    private final Tensor v = Samples.normal(scope, 3, 2, 2, 5, 6);
    private final Tensor out = Samples.marked(scope, 2, 4, 3, 6);
    private final SegmentedAttention segmented = new SegmentedAttention(Attention.builder().causal().build());
    private final List<KeyValues> segments = List.of(new KeyValues(k, v), new KeyValues(k, v));

    @AfterEach
    void nothingIsWritten() {
        assertArrayEquals(Samples.marked(scope, 2, 4, 3, 6).toFloatArray(), out.toFloatArray());
        segmented.close();
        scope.close();
    }

    @Test
    void segmentsThatDoNotFit() {
        refused("k.size(3)=7 headDim=8", () -> segmented.run(q, with(zeros(2, 2, 5, 7), v), out));
        refused("v.size(2)=4 keys=5", () -> segmented.run(q, with(k, zeros(2, 2, 4, 6)), out));
        refused("heads=4 kvHeads=3", () -> segmented.run(q, with(zeros(2, 3, 5, 8), zeros(2, 3, 5, 6)), out));
        refused("out.size(3)=6 valueDim=5", () -> segmented.run(q, with(k, zeros(2, 2, 5, 5)), out));
        refused("k.size(0)=1 batch=2", () -> segmented.run(q, with(zeros(1, 2, 5, 8), zeros(1, 2, 5, 6)), out));
        refused("segments[1].k has the wrong rank: rank=3", () -> segmented.run(q, with(zeros(2, 5, 8), v), out));
        refused("out.size(2)=4 queries=3", () -> segmented.run(q, segments, zeros(2, 4, 4, 6)));
        refused("read-only", () -> segmented.run(q, segments, out.asReadOnly()));
        refused("out must not overlap v", () -> segmented.run(zeros(2, 2, 5, 8), segments, v));
        Tensor both = zeros(2, 4, 3, 8);
        refused("out must not overlap q", () -> segmented.run(both, segments, both));
        thrown(NullPointerException.class, "k must not be null", () -> new KeyValues(null, v));
        thrown(NullPointerException.class, "v must not be null", () -> new KeyValues(k, null));
        TensorScope other = TensorScope.open();
        Tensor closed = other.zeros(DType.FLOAT32, 2, 2, 5, 8);
        other.close();
        thrown(IllegalStateException.class, "TensorScope is closed", () -> segmented.run(q, with(closed, v), out));
    }

    @Test
    void whatThereIsNoMemoryForLeavesNone() {
        long before = NativeMemory.settled();
        thrown(OutOfMemoryError.class, "memory",
            () -> KeyValueCache.builder(1, 1, 1).valueDim(1L << 48).ring(1 << 10).build());
        thrown(OutOfMemoryError.class, "memory",
            () -> PagedKeyValueCache.builder(1 << 10, 1, 1).valueDim(1L << 48).pageSize(1).build());
        assertEquals(before, NativeMemory.allocated());
    }

    @Test
    void inputsThatDoNotFit() {
        refused("k must not be given here, the segments have them: k=FLOAT32[2, 2, 5, 8]",
            () -> segmented.run(AttentionInputs.of(q, k, v, out), segments));
        refused("keyLengths[1]=11 keys=10", () -> segmented.run(in().keyLengths(scope.of(new long[] {10, 11}, 2)),
            segments));
        refused("keyLengths[0]=-1", () -> segmented.run(in().keyLengths(scope.of(new long[] {-1, 0}, 2)), segments));
        refused("offsets.size(0)=3 batch=2", () -> segmented.run(in().offsets(scope.zeros(DType.INT64, 3)), segments));
        refused("bias.shape=[9] keys=10", () -> segmented.run(in().bias(zeros(9)), segments));
        refused("sinks.size(0)=3 heads=4", () -> segmented.run(in().sinks(zeros(3)), segments));
        refused("lse.size(2)=4 queries=3", () -> segmented.run(in().lse(zeros(2, 4, 4)), segments));
        refused("scores=FLOAT32[2, 4, 3, 10] expected=null",
            () -> segmented.run(in().scores(zeros(2, 4, 3, 10)), segments));
        refused("cuQueries=INT64[3] expected=null",
            () -> segmented.run(in().cumulative(scope.zeros(DType.INT64, 3), scope.zeros(DType.INT64, 3)), segments));
        refused("dropout=0.5", () -> new SegmentedAttention(Attention.builder().dropout(0.5).build()));
        refused("stage=WEIGHTS", () -> new SegmentedAttention(Attention.builder().weights().build()));
        SegmentedAttention closed = new SegmentedAttention(Attention.builder().build());
        closed.close();
        closed.close();
        thrown(IllegalStateException.class, "SegmentedAttention is closed", () -> closed.run(q, segments, out));
    }

    @Test
    void raggedInputsThatDoNotFit() {
        Tensor rows = zeros(3, 4, 8);
        Tensor result = zeros(3, 4, 8);
        Tensor cu = scope.of(new long[] {0, 1, 3}, 3);
        try (SegmentedAttention ragged = new SegmentedAttention(Attention.builder().ragged().build());
             PagedKeyValueCache cache = PagedKeyValueCache.builder(2, 2, 8).pageSize(4).build();
             PagedSequence first = cache.add("first"); PagedSequence second = cache.add("second")) {
            first.append(zeros(1, 2, 3, 8), zeros(1, 2, 3, 8));
            List<PagedSequence> both = List.of(first, second);
            AttentionInputs in = AttentionInputs.of(rows, null, null, result);
            thrown(IllegalStateException.class, "segments are not", () -> ragged.run(q, segments, out));
            thrown(IllegalStateException.class, "pass cuQueries", () -> ragged.runPaged(in, both));
            refused("cuKeys=INT64[3]", () -> ragged.runPaged(in.cumulative(cu, cu), both));
            in.cumulative(cu, null);
            refused("cuQueries.size(0)=3 sequences + 1=2", () -> ragged.runPaged(in, List.of(first)));
            refused("cuQueries[2]=4 q.size(0)=3",
                () -> ragged.runPaged(in.cumulative(scope.of(new long[] {0, 1, 4}, 3), null), both));
            refused("keyLengths=INT64[2] expected=null",
                () -> ragged.runPaged(in.cumulative(cu, null).keyLengths(cu.slice(0, 0, 2)), both));
            refused("rank=4 expected=3", () -> ragged.runPaged(AttentionInputs.of(q, null, null, out)
                .cumulative(cu, null), both));
            refused("cuQueries=INT64[3] expected=null",
                () -> segmented.runPaged(AttentionInputs.of(q, null, null, out).cumulative(cu, null), both));
            assertArrayEquals(new float[3 * 4 * 8], result.toFloatArray());
        }
    }

    @Test
    void mergesThatDoNotFit() {
        Merge merge = Merge.builder().build();
        Tensor part = zeros(2, 4, 3, 6);
        Tensor lse = zeros(2, 4, 3);
        refused("outs.size()=1 lses.size()=0", () -> merge.run(List.of(part), List.of(), out));
        refused("outs[0].size(3)=5 out.size(3)=6", () -> merge.run(List.of(zeros(2, 4, 3, 5)), List.of(lse), out));
        refused("lses[1].size(2)=4 queries=3",
            () -> merge.run(List.of(part, part), List.of(lse, zeros(2, 4, 4)), out));
        refused("lses[0] must be contiguous",
            () -> merge.run(List.of(part), List.of(zeros(2, 3, 4).transpose(1, 2)), out));
        refused("out must not overlap outs[1]", () -> merge.run(List.of(out, out), List.of(lse, lse), out));
        refused("sinks.size(0)=5 heads=4", () -> merge.run(List.of(part), List.of(lse), zeros(5), out, null));
        refused("dtype=FLOAT16 expected=FLOAT32",
            () -> merge.run(List.of(scope.zeros(DType.FLOAT16, 2, 4, 3, 6)), List.of(lse), out));
        refused("out is read-only", () -> merge.run(List.of(part), List.of(lse), out.asReadOnly()));
        refused("outs.size()=0 minimum=1", () -> merge.apply(scope, List.of(), List.of()));
        refused("threads=-1", () -> Merge.builder().threads(-1));
    }

    @Test
    void rowsThatDoNotFitTheCache() {
        try (KeyValueCache cache = KeyValueCache.builder(2, 2, 8).valueDim(6).chunk(4).build()) {
            refused("k.size(3)=7 headDim=8", () -> cache.append(zeros(2, 2, 5, 7), v));
            refused("v.size(3)=8 valueDim=6", () -> cache.append(k, k));
            refused("v.size(2)=4 k.size(2)=5", () -> cache.append(k, v.slice(2, 0, 4)));
            refused("k.size(1)=1 kvHeads=2", () -> cache.append(k.slice(1, 0, 1), v));
            refused("k.size(0)=1 batch=2", () -> cache.append(k.slice(0, 0, 1), v));
            refused("k has the wrong type: dtype=INT8 expected=FLOAT32, BFLOAT16 or FLOAT16",
                () -> cache.append(scope.zeros(DType.INT8, 2, 2, 5, 8), v));
            refused("dtype=INT32", () -> cache.append(scope.zeros(DType.INT32, 2, 2, 5, 8), v));
            TensorScope other = TensorScope.open();
            Tensor closed = other.zeros(DType.FLOAT32, 2, 2, 5, 6);
            other.close();
            thrown(IllegalStateException.class, "TensorScope is closed", () -> cache.append(k, closed));
            assertEquals(0, cache.length());
            refused("k.size(0)=2 batch=1", () -> segmented.run(q.slice(0, 0, 1), cache, zeros(1, 4, 3, 6)));
        }
        refused("batch=-1", () -> KeyValueCache.builder(-1, 1, 1));
        refused("kvHeads=0", () -> KeyValueCache.builder(1, 0, 1));
        refused("headDim=0", () -> KeyValueCache.builder(1, 1, 0));
        refused("valueDim=0", () -> KeyValueCache.builder(1, 1, 1).valueDim(0));
        refused("chunk=0", () -> KeyValueCache.builder(1, 1, 1).chunk(0));
        refused("ring=0", () -> KeyValueCache.builder(1, 1, 1).ring(0));
        refused("dtype=INT64", () -> KeyValueCache.builder(1, 1, 1).dtype(DType.INT64));
        KeyValueCache gone = KeyValueCache.builder(2, 2, 8).build();
        gone.close();
        gone.close();
        thrown(IllegalStateException.class, "KeyValueCache is closed", () -> gone.append(k, k));
        thrown(IllegalStateException.class, "KeyValueCache is closed", gone::clear);
        thrown(IllegalStateException.class, "KeyValueCache is closed", () -> segmented.run(q, gone, out));
    }

    @Test
    void rotationsThatDoNotFit() {
        Tensor ids = scope.of(new long[] {0, 1, 2, 3, 7}, 1, 5);
        try (KeyValueCache cache = KeyValueCache.builder(2, 2, 8).valueDim(6).dtype(DType.INT8).ring(4).build();
             PagedKeyValueCache pages = PagedKeyValueCache.builder(4, 2, 8).valueDim(6).build();
             PagedSequence sequence = pages.add("sequence")) {
            refused("positions are for a rotation: positions=INT64[1, 5] rotation=null",
                () -> cache.append(k, v, null, ids));
            refused("rotaryDim=10 headDim=8", () -> cache.append(k, v, new Tables(zeros(9, 5), zeros(9, 5)), null));
            refused("sin.size(0)=8 cos.size(0)=9",
                () -> cache.append(k, v, new Tables(zeros(9, 2), zeros(8, 2)), null));
            refused("cos.size(1)=0", () -> cache.append(k, v, new Tables(zeros(9, 0), zeros(9, 0)), null));
            refused("cos has the wrong type: dtype=FLOAT16 expected=FLOAT32",
                () -> cache.append(k, v, new Tables(scope.zeros(DType.FLOAT16, 9, 2), zeros(9, 2)), null));
            Tables tables = new Tables(zeros(7, 4), zeros(7, 4));
            refused("positionIds[0, 4]=7 positions=7", () -> cache.append(k, v, tables, ids));
            refused("positionIds.size(1)=4 rows=5", () -> cache.append(k, v, tables, ids.slice(1, 0, 4)));
            refused("positionIds.size(0)=3 batch=2",
                () -> cache.append(k, v, tables, scope.zeros(DType.INT64, 3, 5)));
            refused("start=0 rows=5 positions=4",
                () -> cache.append(k, v, new Tables(zeros(4, 4), zeros(4, 4)), null));
            assertEquals(0, cache.length());
            cache.append(k, v, tables, null);
            refused("start=5 rows=5 positions=7", () -> cache.append(k, v, tables, null));
            assertEquals(5, cache.length());
            refused("start=0 rows=5 positions=4", () -> sequence.append(k.slice(0, 0, 1), v.slice(0, 0, 1),
                new Tables(zeros(4, 4), zeros(4, 4)), null));
            assertEquals(4, pages.freePages());
        }
    }

    private record Tables(Tensor cos, Tensor sin) implements KeyRotation {
        @Override
        public boolean interleaved() {
            return false;
        }
    }

    @Test
    void windowsThatReachLostKeys() {
        Attention attention = Attention.builder().causal().window(4, 0).build();
        try (KeyValueCache ring = KeyValueCache.builder(2, 2, 8).valueDim(6).ring(6).build();
             SegmentedAttention windowed = new SegmentedAttention(attention)) {
            ring.append(k, v);
            ring.append(k, v);
            thrown(IllegalStateException.class, "oldest seen=3 oldest kept=4", () -> windowed.run(q, ring, out));
            windowed.run(q.slice(2, 0, 2), ring, zeros(2, 4, 2, 6));
        }
    }

    @Test
    void sequencesThatDoNotFit() {
        try (PagedKeyValueCache cache = PagedKeyValueCache.builder(4, 2, 8).valueDim(6).build();
             PagedKeyValueCache foreign = PagedKeyValueCache.builder(4, 2, 8).valueDim(6).build();
             PagedSequence a = cache.add("a"); PagedSequence b = foreign.add("b")) {
            refused("sequences must be of one cache: a and b", () -> segmented.runPaged(q, List.of(a, b), out));
            refused("q.size(0)=2 sequences=1", () -> segmented.runPaged(q, List.of(a), out));
            refused("keyLengths=INT64[2] expected=null",
                () -> segmented.runPaged(in().keyLengths(scope.zeros(DType.INT64, 2)), List.of(a, a)));
            refused("mask.shape=[5] keys=0",
                () -> segmented.runPaged(in().mask(scope.zeros(DType.BOOL, 5)), List.of(a, a)));
            refused("bias.size(0)=3 batch=2",
                () -> segmented.runPaged(in().bias(zeros(3, 1, 1, 1)), List.of(a, a)));
            refused("k.size(0)=2 sequences=1", () -> a.append(k, v));
            PagedSequence closed = cache.add("closed");
            closed.close();
            thrown(IllegalStateException.class, "name=closed", () -> closed.append(k, v));
            thrown(IllegalStateException.class, "name=closed", () -> closed.fork("d"));
            thrown(IllegalStateException.class, "name=closed", () -> segmented.runPaged(q, List.of(a, closed), out));
            thrown(NullPointerException.class, "name must not be null", () -> cache.add(null));
        }
        refused("pages=0", () -> PagedKeyValueCache.builder(0, 1, 1));
        refused("pageSize=0", () -> PagedKeyValueCache.builder(1, 1, 1).pageSize(0));
        refused("pages=4 pageSize=" + Long.MAX_VALUE,
            () -> PagedKeyValueCache.builder(4, 1, 1).pageSize(Long.MAX_VALUE).build());
    }

    private AttentionInputs in() {
        return AttentionInputs.of(q, null, null, out);
    }

    private List<KeyValues> with(Tensor keys, Tensor values) {
        return List.of(new KeyValues(k, v), new KeyValues(keys, values));
    }

    private Tensor zeros(long... sizes) {
        return scope.zeros(DType.FLOAT32, sizes);
    }
}
