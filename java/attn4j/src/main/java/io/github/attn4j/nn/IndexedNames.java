// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import java.util.Arrays;

/** What messages call the tensors of a list, "sources[1]", made once: a run allocates nothing. Not thread-safe. */
final class IndexedNames {
    private final String list;
    private String[] names = new String[0];

    IndexedNames(String list) {
        this.list = list;
    }

    String of(int index) {
        if (index >= names.length) {
            int made = names.length;
            names = Arrays.copyOf(names, Math.max(index + 1, 2 * made));
            for (int i = made; i < names.length; i++) {
                names[i] = list + "[" + i + "]";
            }
        }
        return names[index];
    }
}
