// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Working memory that no call uses, kept for the next: as many as calls were ever under way at once. Thread-safe. Freed
 * when the module that has it is forgotten.
 */
final class Idle<W> {
    private final Queue<W> idle = new ConcurrentLinkedQueue<>();

    void use(Supplier<W> make, Consumer<W> call) {
        W kept = idle.poll();
        W work = kept == null ? make.get() : kept;
        try {
            call.accept(work);
        } finally {
            idle.add(work);
        }
    }
}
