// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.prefill;

import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Numbers;
import io.github.attn4j.bench.Ort;
import io.github.attn4j.bench.OrtContender;
import io.github.attn4j.bench.onnx.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** ONNX Runtime: one of its three operators of attention in a graph of one node. */
public final class OrtPrefill extends OrtContender {
    /** Which operator, and what its inputs look like. */
    public enum Operator {
        /** The standard's, heads first. */
        ATTENTION("Attention of the standard"),
        /** Rows first. */
        MULTI_HEAD("MultiHeadAttention of com.microsoft"),
        /** Rows first, always causal; it has to copy keys and values into a cache. */
        GROUP_QUERY("GroupQueryAttention of com.microsoft, which fills a cache");

        private final String description;

        Operator(String description) {
            this.description = description;
        }
    }

    private static final int OPSET = 23;

    private final AttentionShape s;
    private final Operator operator;

    /** Builds the graph and its operands. */
    public OrtPrefill(AttentionOperands in, Operator operator) throws OrtException {
        super(session(in, operator));
        s = in.shape();
        this.operator = operator;
    }

    private static Ort session(AttentionOperands in, Operator operator) throws OrtException {
        return switch (operator) {
            case ATTENTION -> attention(in);
            case MULTI_HEAD -> multiHead(in);
            case GROUP_QUERY -> groupQuery(in);
        };
    }

    @Override
    public float[] output() {
        float[] out = super.output();
        return operator == Operator.ATTENTION ? out
                : Numbers.swapped(out, s.batch(), s.queries(), s.heads(), s.headDim());
    }

    @Override
    public String describe() {
        return super.describe() + ", " + operator.description;
    }

    private static Ort attention(AttentionOperands in) throws OrtException {
        AttentionShape s = in.shape();
        requireSquare(s, "Attention");
        byte[] model = Graph.opset(OPSET)
                .input("q", s.queryShape())
                .input("k", s.keyShape())
                .input("v", s.keyShape())
                .node("", "Attention", List.of("q", "k", "v"), List.of("out"), Map.of("is_causal", causal(s)))
                .output("out", s.queryShape())
                .bytes();
        return new Ort(model, in.threads())
                .input("q", in.q(), s.queryShape())
                .input("k", in.k(), s.keyShape())
                .input("v", in.v(), s.keyShape())
                .output("out", s.queryShape());
    }

    private static Ort multiHead(AttentionOperands in) throws OrtException {
        AttentionShape s = in.shape();
        requireSquare(s, "MultiHeadAttention");
        if (s.group() > 1) {
            throw new IllegalArgumentException("MultiHeadAttention needs as many kvHeads as heads: heads=" + s.heads()
                    + " kvHeads=" + s.kvHeads());
        }
        byte[] model = rowsFirst(s)
                .node(Graph.MICROSOFT, "MultiHeadAttention", List.of("q", "k", "v"), List.of("out"),
                        Map.of("num_heads", (long) s.heads(), "unidirectional", causal(s)))
                .output("out", queryRows(s))
                .bytes();
        return operands(new Ort(model, in.threads()), in);
    }

    private static Ort groupQuery(AttentionOperands in) throws OrtException {
        AttentionShape s = in.shape();
        if (!s.causal() || s.queries() != s.keys()) {
            throw new IllegalArgumentException("GroupQueryAttention over a prompt is causal with as many queries as "
                    + "keys: causal=" + s.causal() + " queries=" + s.queries() + " keys=" + s.keys());
        }
        byte[] model = rowsFirst(s)
                .intInput("lengths", s.batch())
                .intInput("total")
                .node(Graph.MICROSOFT, "GroupQueryAttention", List.of("q", "k", "v", "", "", "lengths", "total"),
                        List.of("out", "presentK", "presentV"),
                        Map.of("num_heads", (long) s.heads(), "kv_num_heads", (long) s.kvHeads()))
                .output("out", queryRows(s))
                .output("presentK", s.keyShape())
                .output("presentV", s.keyShape())
                .bytes();
        int[] lengths = new int[s.batch()];
        Arrays.fill(lengths, s.keys() - 1);
        return operands(new Ort(model, in.threads()), in)
                .input("lengths", lengths, s.batch())
                .input("total", new int[] {s.keys()})
                .output("presentK", s.keyShape())
                .output("presentV", s.keyShape());
    }

    private static Graph rowsFirst(AttentionShape s) {
        return Graph.opset(OPSET)
                .input("q", queryRows(s))
                .input("k", keyRows(s))
                .input("v", keyRows(s));
    }

    private static Ort operands(Ort ort, AttentionOperands in) throws OrtException {
        AttentionShape s = in.shape();
        return ort.input("q", Numbers.swapped(in.q(), s.batch(), s.heads(), s.queries(), s.headDim()), queryRows(s))
                .input("k", Numbers.swapped(in.k(), s.batch(), s.kvHeads(), s.keys(), s.headDim()), keyRows(s))
                .input("v", Numbers.swapped(in.v(), s.batch(), s.kvHeads(), s.keys(), s.headDim()), keyRows(s))
                .output("out", queryRows(s));
    }

    private static long causal(AttentionShape s) {
        return s.causal() && s.queries() > 1 ? 1 : 0;
    }

    private static long[] queryRows(AttentionShape s) {
        return new long[] {s.batch(), s.queries(), (long) s.heads() * s.headDim()};
    }

    private static long[] keyRows(AttentionShape s) {
        return new long[] {s.batch(), s.keys(), (long) s.kvHeads() * s.headDim()};
    }

    /** Their causal masks have the first query at the first key. */
    private static void requireSquare(AttentionShape s, String operator) {
        if (s.causal() && s.queries() > 1 && s.queries() != s.keys()) {
            throw new IllegalArgumentException(operator + "'s causal mask needs as many queries as keys: queries="
                    + s.queries() + " keys=" + s.keys());
        }
    }
}
