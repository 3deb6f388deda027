// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import org.junit.jupiter.api.Test;

/** DJL, which brings a PyTorch of its own. */
class DjlContendersTest {
    @Test
    void module() throws Exception {
        Checks.module("djl");
    }
}
