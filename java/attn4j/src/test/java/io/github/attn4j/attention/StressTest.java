// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.internal.NativeMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** 32 threads with different problems, results checked. The property attn4j.stress.seconds says for how long. */
class StressTest {
    private static final int THREADS = 32;
    /** Compiled code and each thread's scratch space take some; a leak of a tensor a run passes this at once. */
    private static final long MOST_GROWTH = 64 << 20;

    @Test
    void manyThreads() throws Exception {
        int seconds = Integer.getInteger("attn4j.stress.seconds", 5);
        List<Trial> trials = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            trials.add(new Trial(Problem.random(i)));
        }
        ExecutorService executor = Executors.newFixedThreadPool(THREADS);
        try {
            long warm = System.nanoTime() + seconds * 250_000_000L;
            run(executor, trials, warm);
            long before = NativeMemory.settled();
            long resident = OffHeap.bytes();
            run(executor, trials, warm + seconds * 750_000_000L);
            assertEquals(before, NativeMemory.allocated());
            long growth = OffHeap.bytes() - resident;
            assertTrue(growth < MOST_GROWTH, () -> "off-heap growth=" + growth + " limit=" + MOST_GROWTH);
        } finally {
            executor.shutdown();
            trials.forEach(Trial::close);
        }
    }

    private static void run(ExecutorService executor, List<Trial> trials, long end) throws Exception {
        List<Isa> isas = Samples.isas().toList();
        List<Future<?>> futures = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            Random random = new Random(t);
            futures.add(executor.submit(() -> {
                while (System.nanoTime() < end) {
                    Trial trial = trials.get(random.nextInt(trials.size()));
                    assertNull(trial.run(isas.get(random.nextInt(isas.size()))), trial::toString);
                }
            }));
        }
        for (Future<?> future : futures) {
            future.get();
        }
    }
}
