// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.internal.View;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Shape;
import io.github.attn4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The weights a module wants, by their names in a PyTorch state, with their shapes. */
final class Parameters {
    private final String module;
    private final Map<String, Shape> shapes = new LinkedHashMap<>();

    Parameters(String module) {
        this.module = module;
    }

    Parameters add(String name, long... sizes) {
        shapes.put(name, Shape.of(sizes));
        return this;
    }

    /** Weight [out, in] and bias [out] of a linear layer. */
    Parameters linear(String name, long in, long out, boolean bias) {
        add(name + ".weight", out, in);
        return bias ? add(name + ".bias", out) : this;
    }

    Map<String, Shape> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /** The same entries in this order; one exception for everything that is missing, unexpected or misshapen. */
    Map<String, Tensor> check(Map<String, Tensor> state) {
        Objects.requireNonNull(state, "state must not be null");
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        Map<String, Tensor> checked = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> {
            Tensor tensor = state.get(name);
            if (tensor == null) {
                missing.add(name);
            } else if (tensor.dtype() != DType.FLOAT32 || !tensor.shape().equals(shape)) {
                misshapen.add(name + "=" + tensor + " expected=" + DType.FLOAT32 + shape);
            } else if (!View.of(tensor, name).isMatrix()) {
                misshapen.add(name + " with strides expected=innermost stride 1");
            }
            checked.put(name, tensor);
        });
        List<String> unexpected = state.keySet().stream().filter(name -> !shapes.containsKey(name)).sorted().toList();
        if (!missing.isEmpty() || !unexpected.isEmpty() || !misshapen.isEmpty()) {
            throw new IllegalArgumentException("the state must be that of this " + module + ": missing=" + missing
                + " unexpected=" + unexpected + " misshapen=" + misshapen);
        }
        return Collections.unmodifiableMap(checked);
    }
}
