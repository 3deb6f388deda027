// SPDX-License-Identifier: Apache-2.0
// Finds the weights of a BERT encoder in an ONNX file. Exporters keep the names of biases, norms and embeddings but
// rename the weight of a linear layer, which they also transpose to [in, out]; it is found by following the graph from
// the bias to the MatMul. The head size stands in a reshape, epsilon in the graph of a norm. All that is missing or of
// a wrong shape is collected and named in one exception.
package io.github.attn4j.transformers;

import io.github.attn4j.nn.WeightLayout;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.transformers.onnx.OnnxFormatException;
import io.github.attn4j.transformers.onnx.OnnxNode;
import io.github.attn4j.transformers.onnx.OnnxWeights;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

final class BertGraph {
    private static final String WORDS = "embeddings.word_embeddings.weight";
    private static final int MAX_LAYERS = 1024;

    /** A linear layer's parameters, null where the file has none; {@code name} is the weight's in the file. */
    record LinearSource(String name, Tensor weight, WeightLayout layout, Tensor bias) {}

    /** A norm's parameters, null where the file has none. */
    record NormSource(Tensor gamma, Tensor beta, double epsilon) {}

    private final OnnxWeights weights;
    private final String prefix;
    private final TreeSet<String> defects = new TreeSet<>();
    private final Set<String> used = new HashSet<>();
    private final BertConfig config;

    BertGraph(OnnxWeights weights) throws OnnxFormatException {
        this.weights = weights;
        prefix = weights.names().stream()
                .filter(name -> name.equals(WORDS) || name.endsWith("." + WORDS))
                .map(name -> name.substring(0, name.length() - WORDS.length()))
                .findFirst()
                .orElse("");
        config = readConfig();
    }

    BertConfig config() {
        return config;
    }

    /** The names, as in the file, of all weights given out so far. */
    Set<String> used() {
        return used;
    }

    /** Throws if anything asked for so far is missing or of a wrong shape. */
    void check() throws OnnxFormatException {
        if (!defects.isEmpty()) {
            throw new OnnxFormatException(
                    weights.file(), "not a float32 BERT encoder that attn4j knows: " + String.join("; ", defects));
        }
    }

    /** A float32 weight by its name without the prefix; null and a defect if it is missing or of another shape. */
    Tensor tensor(String name, long... shape) {
        Optional<Tensor> found = weights.tensor(prefix + name);
        used.add(prefix + name);
        if (found.isEmpty()) {
            defects.add(weights.otherType(prefix + name)
                    .map(type -> prefix + name + " has ONNX data type " + type + ", float32 is 1")
                    .orElse("missing " + prefix + name));
        } else if (shape.length > 0 && !Arrays.equals(found.get().shape().toArray(), shape)) {
            defects.add(prefix + name + " has shape " + Arrays.toString(found.get().shape().toArray())
                    + ", expected " + Arrays.toString(shape));
            return null;
        }
        return found.orElse(null);
    }

    /** The linear layer of a module, {@code y = x W + b}, by the module's name without the prefix. */
    LinearSource linear(String module, long in, long out) {
        Tensor bias = tensor(module + ".bias", out);
        String name = prefix + module + ".weight";
        if (weights.tensor(name).isPresent()) {
            return new LinearSource(name, tensor(module + ".weight", out, in), WeightLayout.OUT_IN, bias);
        }
        Optional<String> anonymous = matMul(module).map(node -> node.input(1));
        Optional<Tensor> weight = anonymous.flatMap(weights::tensor);
        if (weight.isEmpty()) {
            defects.add("missing " + name + " (no float32 right-hand side of a MatMul that feeds its bias)");
        } else if (!Arrays.equals(weight.get().shape().toArray(), new long[] {in, out})) {
            defects.add(anonymous.get() + ", the weight of " + prefix + module + ", has shape "
                    + Arrays.toString(weight.get().shape().toArray()) + ", expected " + List.of(in, out));
        }
        used.add(anonymous.orElse(name));
        return new LinearSource(anonymous.orElse(name), weight.orElse(null), WeightLayout.IN_OUT, bias);
    }

    /** The norm of a module, by the module's name without the prefix. */
    NormSource norm(String module, long width) {
        return new NormSource(tensor(module + ".weight", width), tensor(module + ".bias", width), epsilon(module));
    }

    private BertConfig readConfig() throws OnnxFormatException {
        Tensor words = tensor(WORDS);
        Tensor positions = tensor("embeddings.position_embeddings.weight");
        Tensor types = tensor("embeddings.token_type_embeddings.weight");
        Tensor up = tensor("encoder.layer.0.intermediate.dense.bias");
        int headDim = headDim();
        if (weights.nodes().stream().noneMatch(node -> node.operation().equals("Erf")
                || node.operation().equals("Gelu") && !node.attributes().containsKey("approximate"))) {
            defects.add("no Erf or Gelu node: the activation is not the exact GELU");
        }
        check();
        for (Tensor table : List.of(words, positions, types)) {
            if (table.rank() != 2 || table.size(0) < 1 || table.size(1) != words.size(-1)) {
                defects.add("an embedding table is [rows, hidden]: " + Arrays.toString(table.shape().toArray()));
            }
        }
        long hidden = words.size(-1);
        if (headDim < 1 || hidden < 1 || hidden % headDim != 0 || up.rank() != 1 || up.elements() < 1) {
            defects.add("headDim must divide hidden: hidden=" + hidden + " headDim=" + headDim);
        }
        check();
        return new BertConfig(
                layers(), (int) hidden / headDim, (int) hidden, (int) up.elements(), (int) words.size(0),
                (int) positions.size(0));
    }

    /** One more than the highest layer that any name speaks of, so that a hole in the middle is found missing. */
    private int layers() {
        String start = prefix + "encoder.layer.";
        return weights.names().stream()
                .filter(name -> name.startsWith(start))
                .map(name -> name.substring(start.length()).split("\\.", 2)[0])
                .filter(number -> number.matches("\\d{1,4}"))
                .mapToInt(Integer::parseInt)
                .filter(number -> number < MAX_LAYERS)
                .max()
                .orElse(0) + 1;
    }

    /** The last number of the shape to which the first layer's queries are reshaped. */
    private int headDim() {
        Optional<String> shape = biasAdd("encoder.layer.0.attention.self.query")
                .flatMap(add -> weights.consumers(add.output()).stream()
                        .filter(node -> node.operation().equals("Reshape"))
                        .findFirst())
                .map(reshape -> reshape.input(1));
        Optional<double[]> numbers = shape.flatMap(weights::constant);
        if (numbers.isEmpty()) {
            numbers = shape.flatMap(weights::producer)
                    .filter(node -> node.operation().equals("Concat"))
                    .flatMap(node -> weights.constant(node.input(node.inputs().size() - 1)));
        }
        if (numbers.isEmpty() || numbers.get().length == 0) {
            defects.add("no constant head size in the Reshape of encoder.layer.0.attention.self.query");
            return 0;
        }
        return (int) numbers.get()[numbers.get().length - 1];
    }

    /** Epsilon of a norm: the attribute of one node, or in gamma * (y / sqrt(var + epsilon)) the constant. */
    private double epsilon(String norm) {
        List<OnnxNode> users = weights.consumers(prefix + norm + ".weight");
        for (OnnxNode user : users) {
            Optional<double[]> found = user.operation().equals("LayerNormalization")
                    ? Optional.of(user.attributes().getOrDefault("epsilon", new double[] {1e-5}))
                    : user.inputs().stream().flatMap(input -> producerOf("Div", input).stream())
                            .flatMap(div -> producerOf("Sqrt", div.input(1)).stream())
                            .flatMap(sqrt -> producerOf("Add", sqrt.input(0)).stream())
                            .flatMap(add -> add.inputs().stream().flatMap(in -> weights.constant(in).stream()))
                            .findFirst();
            if (found.isPresent() && found.get().length == 1) {
                double epsilon = found.get()[0];
                if (!(epsilon >= 0 && epsilon < 1)) {
                    defects.add("epsilon of " + prefix + norm + " lies in [0, 1): " + epsilon);
                }
                return epsilon;
            }
        }
        defects.add("no constant epsilon in the norm " + prefix + norm);
        return 0;
    }

    private Optional<OnnxNode> matMul(String module) {
        return biasAdd(module).stream()
                .flatMap(add -> add.inputs().stream())
                .flatMap(input -> producerOf("MatMul", input).stream())
                .findFirst();
    }

    private Optional<OnnxNode> biasAdd(String module) {
        return weights.consumers(prefix + module + ".bias").stream()
                .filter(node -> node.operation().equals("Add"))
                .findFirst();
    }

    private Optional<OnnxNode> producerOf(String operation, String value) {
        return weights.producer(value).filter(node -> node.operation().equals(operation));
    }
}
