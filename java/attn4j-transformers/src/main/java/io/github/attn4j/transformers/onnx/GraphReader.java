// SPDX-License-Identifier: Apache-2.0
// Reads ModelProto, GraphProto and NodeProto (onnx.proto3) as far as weights and their names need it.
package io.github.attn4j.transformers.onnx;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class GraphReader {
    /** A bound on nodes and on initializers: two bytes of a hostile file may claim one of either. */
    private static final int MAX_ITEMS = 1 << 16;

    private static final int MAX_EDGES = 1 << 10;

    /** A float32 initializer, in memory of its own. */
    record Weight(TensorScope scope, Tensor tensor) {}

    final Map<String, Weight> weights = new LinkedHashMap<>();
    final Map<String, double[]> constants = new HashMap<>();
    /** Initializers that are not float32, with their ONNX data type. */
    final Map<String, Integer> otherTypes = new HashMap<>();

    final List<OnnxNode> nodes = new ArrayList<>();
    private final ProtobufStream in;
    private int initializers;
    private boolean graphSeen;

    GraphReader(InputStream stream, long size, String file) throws IOException {
        in = new ProtobufStream(stream, size, file);
    }

    void read() throws IOException {
        try {
            in.read(this::model);
        } catch (IOException | RuntimeException e) {
            weights.values().forEach(weight -> weight.scope().close());
            throw e;
        }
    }

    private void model() throws IOException {
        for (int field = in.next(); field != 0; field = in.next()) {
            if (field == 7) {
                graphSeen = true;
                in.message("graph", this::graph);
            } else {
                in.skip();
            }
        }
        if (!graphSeen) {
            throw in.damaged("an ONNX model holds a graph, none found");
        }
    }

    private void graph() throws IOException {
        for (int field = in.next(); field != 0; field = in.next()) {
            switch (field) {
                case 1 -> node();
                case 5 -> initializer();
                default -> in.skip();
            }
        }
    }

    private void initializer() throws IOException {
        count("initializers", ++initializers, MAX_ITEMS);
        TensorReader reader = new TensorReader(in, true).read();
        String name = reader.name();
        if (weights.containsKey(name) || otherTypes.containsKey(name)) {
            reader.close();
            throw in.damaged("two initializers have one name: " + name);
        }
        if (reader.scope() != null) {
            weights.put(name, new Weight(reader.scope(), reader.tensor()));
        } else {
            otherTypes.put(name, reader.type());
        }
        if (reader.numbers() != null) {
            constants.put(name, reader.numbers());
        }
    }

    private void node() throws IOException {
        count("nodes", nodes.size() + 1, MAX_ITEMS);
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        Map<String, double[]> attributes = new HashMap<>();
        String[] operation = {""};
        in.message("node", () -> {
            for (int field = in.next(); field != 0; field = in.next()) {
                switch (field) {
                    case 1 -> edge(inputs, "input name");
                    case 2 -> edge(outputs, "output name");
                    case 4 -> operation[0] = in.text("op_type");
                    case 5 -> attribute(attributes);
                    default -> in.skip();
                }
            }
        });
        OnnxNode node = new OnnxNode(operation[0], inputs, outputs, attributes);
        nodes.add(node);
        double[] value = attributes.get("value");
        if (node.operation().equals("Constant") && value != null) {
            constants.put(node.output(), value);
        }
    }

    private void edge(List<String> edges, String what) throws IOException {
        count("inputs or outputs of a node", edges.size() + 1, MAX_EDGES);
        edges.add(in.text(what));
    }

    private void attribute(Map<String, double[]> attributes) throws IOException {
        count("attributes of a node", attributes.size() + 1, MAX_EDGES);
        String[] name = {""};
        double[][] value = {null};
        in.message("attribute", () -> {
            for (int field = in.next(); field != 0; field = in.next()) {
                switch (field) {
                    case 1 -> name[0] = in.text("attribute name");
                    case 2 -> value[0] = new double[] {in.float32("attribute f")};
                    case 3 -> value[0] = new double[] {in.integer("attribute i")};
                    case 5 -> value[0] = new TensorReader(in, false).read().numbers();
                    default -> in.skip();
                }
            }
        });
        if (value[0] != null) {
            attributes.put(name[0], value[0]);
        }
    }

    private void count(String what, int count, int limit) throws IOException {
        if (count > limit) {
            throw in.damaged("more " + what + " than any model has: limit=" + limit);
        }
    }
}
