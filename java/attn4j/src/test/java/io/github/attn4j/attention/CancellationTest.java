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
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class CancellationTest {
    /** Some 10^13 operations: nobody waits for their end. */
    private static final long MANY = 65_536;

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void stopsARunFromAnotherThread(Isa isa) throws Exception {
        try (TensorScope scope = TensorScope.open()) {
            Cancellation cancellation = Cancellation.create();
            CompletableFuture<Void> run = CompletableFuture.runAsync(() -> endless(scope, isa, cancellation));
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
                Cancellation.withDeadline(Duration.ofDays(1)), Cancellation.withDeadline(Duration.ofSeconds(Long.MAX_VALUE))}) {
                AttentionInputs inputs = AttentionInputs.of(q, q, q, null).cancellation(waiting);
                assertArrayEquals(plain, attention.apply(scope, inputs).toFloatArray());
                assertFalse(waiting.isCancelled());
            }
        }
    }

    private static void endless(TensorScope scope, Isa isa, Cancellation cancellation) {
        Tensor q = scope.zeros(DType.FLOAT32, 1, 4, MANY, 64);
        Tensor out = scope.zeros(DType.FLOAT32, 1, 4, MANY, 64);
        Attention.builder().isa(isa).build().run(AttentionInputs.of(q, q, q, out).cancellation(cancellation));
    }
}
