// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Tensors by their names, as PyTorch's {@code state_dict()} has them: a dot for each step from module to part. */
public final class StateDict {
    private StateDict() {}

    /**
     * The tensors of one part of a model, by the names that the part itself gives them: of
     * {@code "encoder.layer.0.query.weight"} under {@code "encoder.layer.0."} remains {@code "query.weight"}.
     *
     * @param tensors by their full names
     * @param prefix what the names must begin with, the last dot included; "" takes all
     * @return those whose names begin with it and go on, without it, in the same order; unmodifiable, later changes of
     *     `tensors` do not reach it
     */
    public static Map<String, Tensor> under(Map<String, Tensor> tensors, String prefix) {
        Map<String, Tensor> part = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            if (name.startsWith(prefix) && name.length() > prefix.length()) {
                part.put(name.substring(prefix.length()), tensor);
            }
        });
        return Collections.unmodifiableMap(part);
    }
}
