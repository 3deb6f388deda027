// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.tensor.Tensor;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The parts of a projected attention: the names of its layers in a PyTorch state, and sizes. What has no name is not
 * there.
 */
final class Blueprint {
    final ModuleBuilder<?> options;
    final String query;
    final String key;
    final String value;
    long kvHeads;
    long headDim;
    String out;
    String gate;
    long gates;
    String queryNorm;
    String keyNorm;
    double epsilon;
    RotaryEmbedding rotary;
    /** How far back a token sees, -1 for everything. */
    long windowBefore = -1;
    UnaryOperator<Attention.Builder> visible = UnaryOperator.identity();

    /** Three projections, of as many key-value heads as heads, which divide the width. */
    Blueprint(ModuleBuilder<?> options, String query, String key, String value) {
        this.options = options;
        this.query = query;
        this.key = key;
        this.value = value;
        kvHeads = options.heads;
        headDim = options.headDim();
    }

    /** A projection of all heads back to the width. */
    Blueprint out(String name) {
        out = name;
        return this;
    }

    /** A sigmoid gate of so many numbers a row on the heads' output. */
    Blueprint gate(String name, long numbers) {
        gate = name;
        gates = numbers;
        return this;
    }

    /** An RMS norm of each head's queries and keys. */
    Blueprint norms(String ofQuery, String ofKey, double added) {
        queryNorm = ofQuery;
        keyNorm = ofKey;
        epsilon = added;
        return this;
    }

    long heads() {
        return options.heads;
    }

    long width() {
        return options.width;
    }

    Parameters parameters(String module) {
        Parameters parameters = new Parameters(module)
            .linear(query, width(), heads() * headDim, options.bias)
            .linear(key, width(), kvHeads * headDim, options.bias)
            .linear(value, width(), kvHeads * headDim, options.bias);
        if (queryNorm != null) {
            parameters.add(queryNorm + ".weight", headDim).add(keyNorm + ".weight", headDim);
        }
        if (gate != null) {
            parameters.linear(gate, width(), gates, options.bias);
        }
        return out == null ? parameters : parameters.linear(out, heads() * headDim, width(), options.bias);
    }

    Layers layers(Map<String, Tensor> state) {
        return new Layers(options.linear(state, query), options.linear(state, key), options.linear(state, value),
            norm(state, queryNorm), norm(state, keyNorm), gate == null ? null : options.linear(state, gate),
            out == null ? null : options.linear(state, out));
    }

    /** Attention of one forward; it drops weights and writes them if told so. */
    Attention attention(boolean dropping, boolean writing) {
        Attention.Builder builder = visible.apply(options.attention(dropping));
        return (writing ? builder.weights() : builder).build();
    }

    private RmsNorm norm(Map<String, Tensor> state, String name) {
        return name == null ? null : RmsNorm.builder(state.get(name + ".weight")).epsilon(epsilon)
            .threads(options.threads).isa(options.isa).build();
    }

    /** The layers of one load; null for what the module has not. */
    record Layers(Linear query, Linear key, Linear value, RmsNorm queryNorm, RmsNorm keyNorm, Linear gate,
                  Linear out) {}
}
