// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import io.github.attn4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Segments whose positions count over all of them, one behind the other. Not thread-safe. It keeps its arrays for the
 * next list, so that only a longer one allocates.
 */
final class ListedRuns implements KeyRuns {
    private KeyValues[] segments = new KeyValues[4];
    private long[] ends = new long[4];
    private int count;

    /** Takes these segments until the next {@link #clear}. */
    void begin(List<KeyValues> list) {
        int size = list.size();
        if (size > segments.length) {
            segments = new KeyValues[2 * size];
            ends = new long[2 * size];
        }
        long end = 0;
        for (count = 0; count < size; count++) {
            segments[count] = Objects.requireNonNull(list.get(count), "a segment must not be null");
            Tensor k = segments[count].k();
            if (k.rank() != 4) {
                throw new IllegalArgumentException("segments[" + count + "].k has the wrong rank: rank=" + k.rank()
                    + " expected=4 shape=" + k.shape());
            }
            end += k.size(2);
            ends[count] = end;
        }
    }

    /** Keeps no tensor. */
    void clear() {
        Arrays.fill(segments, null);
        count = 0;
    }

    /** The number of all keys. */
    long keys() {
        return count == 0 ? 0 : ends[count - 1];
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public KeyValues rows(int run) {
        return segments[run];
    }

    @Override
    public long first(int run) {
        return 0;
    }

    @Override
    public long length(int run) {
        return segments[run].k().size(2);
    }

    @Override
    public long position(int run) {
        return ends[run] - length(run);
    }
}
