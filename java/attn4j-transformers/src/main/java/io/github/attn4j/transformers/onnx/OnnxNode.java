// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.onnx;

import java.util.List;
import java.util.Map;

/**
 * One operation of the graph.
 *
 * @param operation the operator, such as {@code MatMul}
 * @param inputs names of what it reads, in the operator's order; an optional input left out is an empty name
 * @param outputs names of what it makes
 * @param attributes the numeric attributes, small ones only: a float, an integer, a list or a tensor of up to
 *     {@link OnnxWeights#SMALL} numbers
 */
public record OnnxNode(String operation, List<String> inputs, List<String> outputs, Map<String, double[]> attributes) {
    /**
     * Copies the lists.
     *
     * @param operation the operator
     * @param inputs names of what it reads
     * @param outputs names of what it makes
     * @param attributes small numeric attributes
     */
    public OnnxNode {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        attributes = Map.copyOf(attributes);
    }

    /**
     * The name of an input.
     *
     * @param index from 0
     * @return the name, empty if the node has no such input
     */
    public String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    /**
     * The name of the first output.
     *
     * @return the name, empty if the node has none
     */
    public String output() {
        return outputs.isEmpty() ? "" : outputs.get(0);
    }
}
