// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.attention;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The sequences of a call, of a list that is read once. Not thread-safe. It keeps its array for the next list, so that
 * only a longer one allocates.
 */
final class ListedSequences {
    private PagedSequence[] sequences = new PagedSequence[4];
    private int count;

    /** Takes these sequences until the next {@link #clear}. */
    void begin(List<PagedSequence> list) {
        int size = list.size();
        if (size > sequences.length) {
            sequences = new PagedSequence[2 * size];
        }
        for (count = 0; count < size; count++) {
            sequences[count] = Objects.requireNonNull(list.get(count), "a sequence must not be null");
        }
    }

    /** Keeps no sequence. */
    void clear() {
        Arrays.fill(sequences, null);
        count = 0;
    }

    int count() {
        return count;
    }

    PagedSequence get(int b) {
        return sequences[b];
    }
}
