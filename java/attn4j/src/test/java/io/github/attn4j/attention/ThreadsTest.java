// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.attn4j.Attn4j;
import io.github.attn4j.Expect;
import io.github.attn4j.Samples;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ThreadsTest {
    @Test
    void onePlanRunsOnManyThreads() throws Exception {
        share(Executors.newFixedThreadPool(8));
    }

    @Test
    void onePlanRunsOnVirtualThreads() throws Exception {
        assumeTrue(Runtime.version().feature() >= 21, "virtual threads need JDK 21");
        share((ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null));
    }

    @Test
    void thePoolIsResizedAndRestarted() {
        int before = Attn4j.threads();
        assertTrue(before >= 1);
        Attn4j.threads(3);
        assertEquals(3, Attn4j.threads());
        Attn4j.shutdownThreads();
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 1, 8, 64, 16);
            float[] restarted = Attention.builder().build().apply(scope, q, q, q).toFloatArray();
            assertArrayEquals(Attention.builder().threads(1).build().apply(scope, q, q, q).toFloatArray(), restarted);
        }
        Expect.refused("threads=0", () -> Attn4j.threads(0));
        Attn4j.threads(before);
    }

    private static void share(ExecutorService executor) throws Exception {
        try (TensorScope scope = TensorScope.open()) {
            Tensor q = Samples.normal(scope, 1, 2, 4, 70, 32);
            Tensor expected = Attention.builder().causal().build().apply(scope, q, q, q);
            try (AttentionPlan plan = Attention.builder().causal().build().plan(q, q, q, expected)) {
                List<Future<float[]>> results = new ArrayList<>();
                for (int i = 0; i < 64; i++) {
                    results.add(executor.submit(() -> {
                        try (TensorScope own = TensorScope.open()) {
                            Tensor out = own.zeros(DType.FLOAT32, 2, 4, 70, 32);
                            plan.run(q, q, q, out);
                            return out.toFloatArray();
                        }
                    }));
                }
                for (Future<float[]> result : results) {
                    assertArrayEquals(expected.toFloatArray(), result.get());
                }
            }
        } finally {
            executor.shutdown();
        }
    }
}
