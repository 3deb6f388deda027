// SPDX-License-Identifier: Apache-2.0
// A class of its own, as each test class has a process of its own: DJL brings another version of PyTorch's libraries.
package io.github.attn4j.bench;

import io.github.attn4j.bench.module.Module;
import io.github.attn4j.bench.module.ModuleInputs;
import io.github.attn4j.bench.module.ModuleShape;
import org.junit.jupiter.api.Test;

class DjlTest {
    @Test
    void module() throws Exception {
        ModuleInputs in = ModuleInputs.of(ModuleShape.parse("2x19x96/3"), 1);
        try (Contender contender = Module.contender("djl", in)) {
            contender.run();
            contender.run();
            Expected.require("djl", in.error(contender.output()), contender.tolerance());
        }
    }
}
