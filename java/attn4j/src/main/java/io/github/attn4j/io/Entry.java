// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.internal.JsonReader;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a header says of one tensor. Its bytes are [begin, end) of the data. */
record Entry(String name, String type, long[] sizes, long begin, long end) {
    /** Far more than any tensor has; those beyond {@link Shape#MAX_RANK} are not made into tensors. */
    private static final int MAX_SIZES = 64;

    /** Reads {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}; Malformed if it is not of this form. */
    static Entry read(JsonReader json, String name) {
        String[] type = new String[1];
        List<Long> sizes = new ArrayList<>();
        List<Long> offsets = new ArrayList<>();
        boolean[] shaped = new boolean[1];
        json.object(key -> {
            switch (key) {
                case "dtype" -> type[0] = json.string();
                case "shape" -> {
                    integers(json, sizes, MAX_SIZES);
                    shaped[0] = true;
                }
                case "data_offsets" -> integers(json, offsets, 2);
                default -> throw json.malformed("only dtype, shape and data_offsets instead of " + key);
            }
        });
        if (type[0] == null || !shaped[0] || offsets.size() != 2) {
            throw json.malformed("dtype, shape and two data_offsets before this");
        }
        return new Entry(name, type[0], sizes.stream().mapToLong(Long::longValue).toArray(), offsets.get(0),
            offsets.get(1));
    }

    private static void integers(JsonReader json, List<Long> values, int limit) {
        json.array(() -> {
            if (values.size() == limit) {
                throw json.malformed("at most " + limit + " integers in this array");
            }
            values.add(json.integer());
        });
    }

    long bytes() {
        return end - begin;
    }

    /** Null if tensors have no such type. */
    DType dtype() {
        ElementType known = ElementType.of(type);
        return known == null ? null : known.dtype;
    }

    /** Null if it can be a tensor; otherwise why not. */
    String oddity() {
        if (dtype() == null) {
            return "the dtype must be one that tensors have: name=" + name + " dtype=" + type
                + " known=F32, BF16, F16, BOOL, I8, I32, I64";
        }
        return sizes.length <= Shape.MAX_RANK ? null : "the rank must be at most " + Shape.MAX_RANK + ": name=" + name
            + " rank=" + sizes.length;
    }

    /** Null if offsets and shape agree; otherwise the rule that they break. */
    String defect(long data) {
        String offsets = "data_offsets=[" + begin + ", " + end + "]";
        if (begin < 0 || end < begin || end > data) {
            return "the tensor must lie within the data: " + offsets + " data=" + data;
        }
        long strided = 1;
        boolean empty = false;
        for (long size : sizes) {
            if (size < 0) {
                return "sizes must be at least 0: size=" + size + " shape=" + Arrays.toString(sizes);
            }
            empty |= size == 0;
            long atLeastOne = Math.max(1, size);
            if (strided > Long.MAX_VALUE / ElementType.MAX_BITS / atLeastOne) {
                return "the bits of a shape must fit a long: shape=" + Arrays.toString(sizes) + " limit="
                    + Long.MAX_VALUE;
            }
            strided *= atLeastOne;
        }
        ElementType known = ElementType.of(type);
        long bits = known == null ? 8 * bytes() : empty ? 0 : strided * known.bits;
        return bits == 8 * bytes() ? null : "the bytes must be those of the shape: " + offsets + " bytes=" + bytes()
            + " shape=" + Arrays.toString(sizes) + " dtype=" + type + " needed=" + bits / 8.0;
    }
}
