// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.Samples;
import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.Random;

/** Options of attention as they come. */
final class RandomOptions {
    private RandomOptions() {}

    static Attention attention(Random random, Isa isa) {
        return builder(random, isa).build();
    }

    static Attention.Builder builder(Random random, Isa isa) {
        Attention.Builder builder = Attention.builder().isa(isa);
        if (random.nextInt(3) != 0) {
            builder.causal();
        }
        if (random.nextBoolean()) {
            builder.alignment(Alignment.TOP_LEFT);
        }
        if (random.nextBoolean()) {
            builder.window(random.nextInt(30) - 1, random.nextInt(30) - 1);
        }
        if (random.nextInt(3) == 0) {
            builder.softcap(1 + random.nextInt(20));
        }
        return builder;
    }

    /** q and out, and now and then slopes, sinks, bias and mask for so many keys. */
    static AttentionInputs inputs(Random random, TensorScope scope, Tensor q, Tensor out, int keys) {
        AttentionInputs in = AttentionInputs.of(q, null, null, out);
        long heads = q.size(1);
        if (random.nextInt(3) == 0) {
            float[] slopes = new float[(int) heads];
            for (int h = 0; h < heads; h++) {
                slopes[h] = (float) Math.pow(2, -1 - random.nextInt(8));
            }
            in.slopes(scope.of(slopes, heads));
        }
        if (random.nextInt(3) == 0) {
            in.sinks(Samples.normal(scope, random.nextLong(), heads));
        }
        if (random.nextInt(3) == 0) {
            in.bias(Samples.normal(scope, random.nextLong(), broadcast(random, q, keys)));
        }
        if (random.nextInt(3) == 0) {
            long[] sizes = broadcast(random, q, keys);
            int count = 1;
            for (long size : sizes) {
                count *= (int) size;
            }
            boolean[] values = new boolean[count];
            for (int i = 0; i < count; i++) {
                values[i] = random.nextInt(3) > 0;
            }
            in.mask(scope.of(values, sizes));
        }
        return in;
    }

    /** INT64 [count] between two numbers, both included. */
    static Tensor integers(Random random, TensorScope scope, int count, int least, int most) {
        return scope.of(random.ints(count, least, most + 1).asLongStream().toArray(), count);
    }

    private static long[] broadcast(Random random, Tensor q, int keys) {
        long[] full = {q.size(0), q.size(1), q.size(2), keys};
        int rank = 1 + random.nextInt(4);
        long[] sizes = new long[rank];
        for (int d = 0; d < rank; d++) {
            sizes[d] = random.nextInt(4) == 0 ? 1 : full[4 - rank + d];
        }
        return sizes;
    }
}
