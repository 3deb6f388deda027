// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.onnx;

import io.github.attn4j.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The float32 initializers of an ONNX file as native tensors, and its graph, by which a weight that lost its name can
 * be found. Not thread-safe while weights are released; closing frees every weight.
 *
 * <p>The file is read as a stream, once, and each weight goes straight to the memory it stays in: at no time does the
 * file, or a weight, exist twice. Everything the file claims about sizes is checked against the size of the file before
 * memory is taken, so a damaged file costs no more memory than its own size.
 */
public final class OnnxWeights implements AutoCloseable {
    /** The most numbers that a constant may have and be given by {@link #constant}. */
    public static final int SMALL = 16;

    private final String file;
    private final Map<String, GraphReader.Weight> weights;
    private final Map<String, double[]> constants;
    private final Map<String, Integer> otherTypes;
    private final List<OnnxNode> nodes;
    private final Map<String, OnnxNode> producers = new HashMap<>();
    private final Map<String, List<OnnxNode>> consumers = new HashMap<>();

    private OnnxWeights(String file, GraphReader graph) {
        this.file = file;
        weights = graph.weights;
        constants = graph.constants;
        otherTypes = graph.otherTypes;
        nodes = Collections.unmodifiableList(graph.nodes);
        for (OnnxNode node : nodes) {
            node.outputs().forEach(output -> producers.put(output, node));
            node.inputs().forEach(input ->
                    consumers.computeIfAbsent(input, name -> new ArrayList<>(1)).add(node));
        }
    }

    /**
     * Reads an ONNX model.
     *
     * @param stream the model, from its first byte; stays open
     * @param size bytes of the whole model: what the model claims beyond them is refused
     * @param file the model's name for messages
     * @return its weights, to be closed by the caller
     * @throws OnnxFormatException if the model is cut off, damaged, 2 GiB or larger, or keeps its weights elsewhere
     * @throws IOException if the stream fails
     */
    public static OnnxWeights read(InputStream stream, long size, String file) throws IOException {
        GraphReader graph = new GraphReader(stream, size, file);
        graph.read();
        return new OnnxWeights(file, graph);
    }

    /**
     * The file's name for messages.
     *
     * @return as given to {@link #read}
     */
    public String file() {
        return file;
    }

    /**
     * The names of the float32 weights still held.
     *
     * @return an unmodifiable view, in the file's order
     */
    public Set<String> names() {
        return Collections.unmodifiableSet(weights.keySet());
    }

    /**
     * A float32 weight.
     *
     * @param name of the initializer
     * @return the tensor in the file's shape, valid until released or closed; empty if there is none of that name
     */
    public Optional<Tensor> tensor(String name) {
        return Optional.ofNullable(weights.get(name)).map(GraphReader.Weight::tensor);
    }

    /**
     * The ONNX data type of an initializer that is not float32, and so was not loaded.
     *
     * @param name of the initializer
     * @return the number of the type in onnx.proto; empty if there is none of that name, or it is float32
     */
    public Optional<Integer> otherType(String name) {
        return Optional.ofNullable(otherTypes.get(name));
    }

    /**
     * A small constant of the graph, from an initializer or a {@code Constant} node.
     *
     * @param name of the value
     * @return its numbers, at most {@link #SMALL}; empty if it is not constant, or larger
     */
    public Optional<double[]> constant(String name) {
        return Optional.ofNullable(constants.get(name)).map(double[]::clone);
    }

    /**
     * The nodes of the graph.
     *
     * @return all, in the file's order
     */
    public List<OnnxNode> nodes() {
        return nodes;
    }

    /**
     * The node that makes a value.
     *
     * @param value its name
     * @return the node; empty if the value is an input of the graph, an initializer or unknown
     */
    public Optional<OnnxNode> producer(String value) {
        return Optional.ofNullable(producers.get(value));
    }

    /**
     * The nodes that read a value.
     *
     * @param value its name
     * @return none, one or more nodes in the file's order
     */
    public List<OnnxNode> consumers(String value) {
        return Collections.unmodifiableList(consumers.getOrDefault(value, List.of()));
    }

    /**
     * Frees one weight now.
     *
     * @param name of the weight; one that is not held is ignored
     */
    public void release(String name) {
        GraphReader.Weight weight = weights.remove(name);
        if (weight != null) {
            weight.scope().close();
        }
    }

    /**
     * Frees all weights but these.
     *
     * @param names of the weights to keep
     */
    public void retain(Set<String> names) {
        Set<String> rest = new HashSet<>(weights.keySet());
        rest.removeAll(names);
        rest.forEach(this::release);
    }

    /** Frees all weights. Closing twice is harmless. */
    @Override
    public void close() {
        retain(Set.of());
    }
}
