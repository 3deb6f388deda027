// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A contender in Java that works row by row; rows are shared out over a fixed pool. */
public abstract class RowContender implements Contender {
    /** The inputs. */
    protected final AttentionOperands in;
    /** [batch, heads, queries, headDim]. */
    protected final float[] out;

    private final ExecutorService pool;
    private final List<Callable<Void>> tasks = new ArrayList<>();

    /** Keeps these inputs. */
    protected RowContender(AttentionOperands in) {
        this.in = in;
        AttentionShape s = in.shape();
        out = new float[in.q().length];
        int rows = s.batch() * s.heads() * s.queries();
        pool = Executors.newFixedThreadPool(in.threads());
        for (int t = 0; t < in.threads(); t++) {
            int first = t;
            float[] scores = new float[s.keys()];
            tasks.add(() -> {
                for (int row = first; row < rows; row += in.threads()) {
                    row(row, scores);
                }
                return null;
            });
        }
    }

    /** Computes one row of the output, with room for its scores. */
    protected abstract void row(int row, float[] scores);

    @Override
    public void run() throws Exception {
        if (tasks.size() == 1) {
            tasks.get(0).call();
            return;
        }
        for (Future<Void> task : pool.invokeAll(tasks)) {
            task.get();
        }
    }

    @Override
    public Duration warmUp() {
        return Contender.COMPILED;
    }

    @Override
    public float[] output() {
        return out;
    }

    @Override
    public void close() {
        pool.shutdown();
    }
}
