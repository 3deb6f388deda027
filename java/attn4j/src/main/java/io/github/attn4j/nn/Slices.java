// SPDX-License-Identifier: Apache-2.0
// What a forward keeps between its layers is written once and read once soon after. For a whole batch it would go
// through memory; so entries go through all layers a few at a time. With our own products a result depends on its own
// entry alone, to the last bit.
package io.github.attn4j.nn;

import io.github.attn4j.internal.Check;
import io.github.attn4j.internal.Threads;
import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.Tensor;

/** How many entries of a batch go through a forward's layers at a time. */
final class Slices {
    /** What a thread keeps between layers: most of a second cache of 2 MiB. */
    static final long BYTES = 3L << 19;

    /**
     * Threads wait for each other after every layer, which costs them more than so small slices gain: how much larger.
     */
    private static final long SHARED = 4;

    /** Rows with which reading the weights does not count beside multiplying by them. */
    private static final long LEAST_ROWS = 128;

    private Slices() {}

    /**
     * Entries at a time, as even as they can be; all of them if they are few.
     *
     * @param rows the fewest of an entry that a layer sees
     * @param floats what an entry takes between the layers
     */
    static long entries(ModuleBuilder<?> options, long batch, long rows, long floats) {
        int threads = options.threads == 0 ? Threads.size() : Math.min(options.threads, Threads.size());
        long bytes = options.sliceBytes * (threads == 1 ? 1 : SHARED * threads);
        long most = Math.max(bytes / (Math.max(1, floats) * Float.BYTES),
            divideUp(LEAST_ROWS, Math.max(1, rows)));
        return most >= batch ? batch : divideUp(batch, divideUp(batch, most));
    }

    /** Whether the out of an entry overwrites no input of a later one. */
    static boolean inOrder(SequenceInputs<?> in) {
        View out = View.of(in.out, "out");
        return Check.isSameOrDisjoint(out, View.of(in.query, "query"))
            && Check.isSameOrDisjoint(out, View.of(in.key, "key"))
            && Check.isSameOrDisjoint(out, View.of(in.value, "value"));
    }

    /** Whether a mask, if there is one, is not overwritten. */
    static boolean apart(Tensor mask, Tensor out) {
        return mask == null || Check.isDisjoint(View.of(mask, "mask"), View.of(out, "out"));
    }

    static long divideUp(long n, long by) {
        return (n + by - 1) / by;
    }
}
