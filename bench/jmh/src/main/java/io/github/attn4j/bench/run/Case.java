// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.decode.Decode;
import io.github.attn4j.bench.model.Model;
import io.github.attn4j.bench.module.AttentionModule;
import io.github.attn4j.bench.module.ModuleShape;
import io.github.attn4j.bench.overhead.Overhead;
import io.github.attn4j.bench.prefill.Prefill;
import java.util.List;

/** One shape of a scenario and who takes part, in the order of their turns. */
record Case(String scenario, String shape, List<String> contenders) {
    /** The JMH class; growth is prefill over more and more keys. */
    Class<?> benchmark() {
        return switch (scenario) {
            case "prefill", "growth" -> Prefill.class;
            case "decode" -> Decode.class;
            case "overhead" -> Overhead.class;
            case "module" -> AttentionModule.class;
            case "model" -> Model.class;
            default -> throw new IllegalArgumentException("no such scenario: scenario=" + scenario);
        };
    }

    double flops() {
        return switch (scenario) {
            case "model" -> 0;
            case "module" -> ModuleShape.parse(shape).flops();
            default -> AttentionShape.parse(shape).flops();
        };
    }

    long scores() {
        return scenario.equals("model") || scenario.equals("module") ? 0 : AttentionShape.parse(shape).scores();
    }
}
