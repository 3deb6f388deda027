// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static io.github.attn4j.Expect.refused;
import static io.github.attn4j.Expect.thrown;

import org.junit.jupiter.api.Test;

class CheckTest {
    private static View view(Owner owner) {
        return new View(owner, 0x1000, View.FLOAT32, false, new long[] {3}, new long[] {1});
    }

    /** Memory of a closed tensor may belong to another by now: that they overlap is not what is wrong. */
    @Test
    void closedComesBeforeOverlap() {
        View open = view(Owner.of("TensorScope", () -> {}));
        refused("out must not overlap x", () -> Check.disjoint(open, "out", view(Owner.of("other", () -> {})), "x"));
        Owner owner = Owner.of("TensorScope", () -> {});
        View closed = view(owner);
        owner.close();
        thrown(IllegalStateException.class, "TensorScope is closed", () -> Check.disjoint(open, "out", closed, "x"));
        thrown(IllegalStateException.class, "TensorScope is closed", () -> Check.disjoint(closed, "out", open, "x"));
    }
}
