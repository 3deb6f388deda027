// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.List;
import java.util.Objects;

/** Segments whose positions count over all of them, one behind the other. */
final class ListedRuns implements KeyRuns {
    private final KeyValues[] segments;
    private final long[] ends;

    ListedRuns(List<KeyValues> list) {
        segments = list.toArray(KeyValues[]::new);
        ends = new long[segments.length];
        long end = 0;
        for (int i = 0; i < segments.length; i++) {
            Tensor k = Objects.requireNonNull(segments[i], "a segment must not be null").k();
            if (k.rank() != 4) {
                throw new IllegalArgumentException("segments[" + i + "].k has the wrong rank: rank=" + k.rank()
                    + " expected=4 shape=" + k.shape());
            }
            end += k.size(2);
            ends[i] = end;
        }
    }

    /** The number of all keys. */
    long keys() {
        return ends.length == 0 ? 0 : ends[ends.length - 1];
    }

    @Override
    public int count() {
        return segments.length;
    }

    @Override
    public Tensor k(int run) {
        return segments[run].k();
    }

    @Override
    public Tensor v(int run) {
        return segments[run].v();
    }

    @Override
    public long first(int run) {
        return 0;
    }

    @Override
    public long length(int run) {
        return k(run).size(2);
    }

    @Override
    public long position(int run) {
        return ends[run] - length(run);
    }
}
