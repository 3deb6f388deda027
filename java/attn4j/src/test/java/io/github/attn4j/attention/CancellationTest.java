// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class CancellationTest {
    /** Some 10^13 operations: nobody waits for their end. */
    private static final long MANY = 65_536;

    static Stream<Arguments> runs() {
        return Samples.isas().flatMap(
            isa -> Stream.of(DType.FLOAT32, DType.BFLOAT16).map(type -> Arguments.of(isa, type)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("runs")
    void stopsARunFromAnotherThread(Isa isa, DType type) throws Exception {
        try (TensorScope scope = TensorScope.open()) {
            Cancellation cancellation = Cancellation.create();
            CompletableFuture<Void> run = CompletableFuture.runAsync(() -> endless(scope, isa, type, cancellation));
            Thread.sleep(100);
            assertFalse(run.isDone());
            assertFalse(cancellation.isCancelled());
            cancellation.cancel();
            cancellation.cancel();
            Throwable thrown = assertThrows(Exception.class, () -> run.get(5, TimeUnit.SECONDS));
            Throwable cause = thrown.getCause() instanceof CompletionException ? thrown.getCause().getCause()
                : thrown instanceof CancellationException ? thrown : thrown.getCause();
            assertTrue(cause instanceof CancellationException, () -> "was " + thrown);
            assertTrue(cancellation.isCancelled());
        }
    }

    @Test
    void stopsAtADeadline() {
        try (TensorScope scope = TensorScope.open()) {
            long start = System.nanoTime();
            assertThrows(CancellationException.class,
                () -> endless(scope, Isa.DEFAULT, Cancellation.withDeadline(Duration.ofMillis(100))));
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(millis >= 100 && millis < 5_000, () -> "millis=" + millis);
        }
    }

    @Test
    void stopsBeforeTheFirstTile() {
        try (TensorScope scope = TensorScope.open()) {
            Cancellation cancelled = Cancellation.create();
            cancelled.cancel();
            assertThrows(CancellationException.class, () -> endless(scope, Isa.DEFAULT, cancelled));
            for (Duration none : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1)}) {
                assertThrows(CancellationException.class,
                    () -> endless(scope, Isa.DEFAULT, Cancellation.withDeadline(none)));
            }
        }
    }

    @Test
    void changesNothingUntilThen() {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 1, 2, 30, 16);
            Attention attention = Attention.builder().build();
            float[] plain = attention.apply(scope, q, q, q).toFloatArray();
            for (Cancellation waiting : new Cancellation[] {Cancellation.create(),
                Cancellation.withDeadline(Duration.ofDays(1)),
                Cancellation.withDeadline(Duration.ofSeconds(Long.MAX_VALUE))}) {
                AttentionInputs inputs = AttentionInputs.of(q, q, q, null).cancellation(waiting);
                assertArrayEquals(plain, attention.apply(scope, inputs).toFloatArray());
                assertFalse(waiting.isCancelled());
            }
        }
    }

    /** Segments and pages hand it on to the runs they are made of. */
    @Test
    void stopsPartsToo() {
        Cancellation cancelled = Cancellation.create();
        cancelled.cancel();
        try (TensorScope scope = TensorScope.open();
             SegmentedAttention segmented = new SegmentedAttention(Attention.builder().build());
             KeyValueCache cache = KeyValueCache.builder(1, 2, 16).chunk(8).build();
             PagedKeyValueCache pages = PagedKeyValueCache.builder(4, 2, 16).pageSize(8).build();
             PagedSequence sequence = pages.add("sequence")) {
            Tensor k = Samples.normal(scope, 1, 1, 2, 30, 16);
            cache.append(k, k);
            sequence.append(k, k);
            Tensor out = Samples.marked(scope, 1, 2, 30, 16);
            AttentionInputs inputs = AttentionInputs.of(k, null, null, out).cancellation(cancelled);
            KeyValues rows = new KeyValues(k, k);
            assertThrows(CancellationException.class, () -> segmented.run(inputs, List.of(rows)));
            assertThrows(CancellationException.class, () -> segmented.run(inputs, List.of(rows, rows)));
            assertThrows(CancellationException.class, () -> segmented.run(inputs, cache));
            assertThrows(CancellationException.class, () -> segmented.runPaged(inputs, List.of(sequence)));
            inputs.cancellation(Cancellation.create());
            segmented.run(inputs, List.of(rows, rows));
            segmented.run(inputs, cache);
            segmented.runPaged(inputs, List.of(sequence));
        }
    }

    private static void endless(TensorScope scope, Isa isa, Cancellation cancellation) {
        endless(scope, isa, DType.FLOAT32, cancellation);
    }

    private static void endless(TensorScope scope, Isa isa, DType type, Cancellation cancellation) {
        Tensor q = scope.zeros(type, 1, 4, MANY, 64);
        Tensor out = scope.zeros(DType.FLOAT32, 1, 4, MANY, 64);
        Attention.builder().isa(isa).build().run(AttentionInputs.of(q, q, q, out).cancellation(cancellation));
    }
}
