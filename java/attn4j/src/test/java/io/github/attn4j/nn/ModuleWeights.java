// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.Samples;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;

/** Weights for tests: normal numbers that keep a unit-normal input about as large. */
final class ModuleWeights {
    private ModuleWeights() {}

    static Map<String, Tensor> of(TensorScope scope, AttentionModule module, long seed) {
        Map<String, Tensor> state = new LinkedHashMap<>();
        module.parameters().forEach((name, shape) -> {
            float[] values = Samples.normal(seed + name.hashCode(), (int) shape.elements());
            for (int i = 0; i < values.length; i++) {
                values[i] /= (float) Math.sqrt(shape.size(-1));
            }
            state.put(name, scope.of(values, shape.toArray()));
        });
        return state;
    }

    static <M extends AttentionModule> M loaded(TensorScope scope, M module, long seed) {
        module.load(of(scope, module, seed));
        return module;
    }
}
