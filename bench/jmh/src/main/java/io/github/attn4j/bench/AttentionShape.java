// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The sizes of one attention, written {@code BATCHxHEADS[/KVHEADS]:QUERIESxKEYSxHEADDIM[:causal]}, such as {@code
 * 1x32/8:1x4096x128}. The last query stands at the last key.
 */
public record AttentionShape(int batch, int heads, int kvHeads, int queries, int keys, int headDim, boolean causal) {
    private static final Pattern FORM = Pattern.compile("(\\d+)x(\\d+)(?:/(\\d+))?:(\\d+)x(\\d+)x(\\d+)(:causal)?");

    /**
     * Reads the written form.
     *
     * @param text as above
     * @return the shape
     */
    public static AttentionShape parse(String text) {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            throw new IllegalArgumentException(
                    "a shape is BATCHxHEADS[/KVHEADS]:QUERIESxKEYSxHEADDIM[:causal]: shape=" + text);
        }
        int heads = Integer.parseInt(m.group(2));
        int kvHeads = m.group(3) == null ? heads : Integer.parseInt(m.group(3));
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException("kvHeads must divide heads: heads=" + heads + " kvHeads=" + kvHeads);
        }
        return new AttentionShape(Integer.parseInt(m.group(1)), heads, kvHeads, Integer.parseInt(m.group(4)),
                Integer.parseInt(m.group(5)), Integer.parseInt(m.group(6)), m.group(7) != null);
    }

    /** {@return how many query heads share a head of keys and values} */
    public int group() {
        return heads / kvHeads;
    }

    /** {@return the keys that query i sees, which are the first ones} */
    public int visible(int query) {
        return causal ? Math.max(0, Math.min(keys, query + 1 + keys - queries)) : keys;
    }

    /** {@return pairs of a query and a key it sees, over all heads} */
    public long scores() {
        long each = 0;
        for (int i = 0; i < queries; i++) {
            each += visible(i);
        }
        return each * batch * heads;
    }

    /** {@return useful floating-point operations: a multiplication and an addition for each number of k and v} */
    public double flops() {
        return 4.0 * scores() * headDim;
    }

    /** {@return the shape of q and out} */
    public long[] queryShape() {
        return new long[] {batch, heads, queries, headDim};
    }

    /** {@return the shape of k and v} */
    public long[] keyShape() {
        return new long[] {batch, kvHeads, keys, headDim};
    }
}
