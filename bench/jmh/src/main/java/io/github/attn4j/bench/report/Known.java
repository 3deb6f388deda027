// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.util.Optional;

/** Why a contender comes near to attn4j or passes it, where that has been looked into. */
final class Known {
    private Known() {}

    static Optional<String> about(Cell contender) {
        if (contender.scenario.equals("module") && contender.contender.startsWith("onnxruntime")) {
            return Optional.of("Nine tenths of the work are the products of four linear layers, which both do near the "
                    + "limit (share); ONNX Runtime packs its constant weights once, attn4j reads them as they lie");
        }
        return Optional.empty();
    }
}
