// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

/** DJL, which brings a PyTorch of its own. */
class DjlContendersTest extends Contenders {
    DjlContendersTest() {
        module("djl");
    }
}
