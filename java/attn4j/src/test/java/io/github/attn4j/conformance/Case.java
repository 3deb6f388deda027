// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.conformance;

import io.github.attn4j.io.Safetensors;
import io.github.attn4j.io.StateDict;
import io.github.attn4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A conformance case: inputs, expected outputs, attributes, tolerances. */
final class Case implements AutoCloseable {
    final String name;
    final String op;
    final double rtol;
    final double atol;
    private final Map<String, Object> attributes;
    private final Safetensors file;

    private Case(String name, Safetensors file) {
        this.name = name;
        this.file = file;
        Map<String, String> metadata = file.metadata();
        op = metadata.get("op");
        rtol = Double.parseDouble(metadata.get("rtol"));
        atol = Double.parseDouble(metadata.get("atol"));
        attributes = Json.object(metadata.get("attributes"));
    }

    /** The tensors are those of the file, for as long as the case is open. */
    static Case read(Path root, Path path) throws IOException {
        return new Case(root.relativize(path).toString().replace(".safetensors", ""), Safetensors.read(path));
    }

    @Override
    public void close() {
        file.close();
    }

    /** Null if there is none. */
    private Tensor tensor(String key) {
        return file.names().contains(key) ? file.tensor(key) : null;
    }

    /** Null if there is none. */
    Tensor in(String tensor) {
        return tensor("in." + tensor);
    }

    Tensor param(String tensor) {
        return tensor("param." + tensor);
    }

    /** All of them, by their PyTorch names. */
    Map<String, Tensor> params() {
        return StateDict.under(file.tensors(), "param.");
    }

    /** Null if it is not expected. */
    Tensor out(String tensor) {
        return tensor("out." + tensor);
    }

    /** The names of what is expected. */
    List<String> outputs() {
        return file.names().stream().filter(key -> key.startsWith("out.")).map(key -> key.substring(4)).toList();
    }

    boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    double number(String attribute, double otherwise) {
        Object value = attributes.get(attribute);
        return value == null ? otherwise : value instanceof Boolean truth ? truth ? 1 : 0 : (Double) value;
    }

    String text(String attribute, String otherwise) {
        return has(attribute) ? (String) attributes.get(attribute) : otherwise;
    }

    boolean is(String attribute) {
        return number(attribute, 0) != 0;
    }
}
