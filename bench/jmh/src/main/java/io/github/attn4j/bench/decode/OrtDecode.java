// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.decode;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.github.attn4j.bench.AttentionOperands;
import io.github.attn4j.bench.AttentionShape;
import io.github.attn4j.bench.Ort;
import io.github.attn4j.bench.OrtContender;
import io.github.attn4j.bench.onnx.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime's GroupQueryAttention over its key-value cache: past and present share their memory, so that only the
 * new token's key and value are written, as its documentation advises. The operator cannot go without that: it is a row
 * a head more than attn4j writes.
 */
public final class OrtDecode extends OrtContender {
    private static final int OPSET = 23;

    /** The last key and value are the new token's, those before are the past. */
    public OrtDecode(AttentionOperands in) throws OrtException {
        super(session(in));
    }

    private static Ort session(AttentionOperands in) throws OrtException {
        AttentionShape s = in.shape();
        long[] queryRow = {s.batch(), 1, (long) s.heads() * s.headDim()};
        long[] keyRow = {s.batch(), 1, (long) s.kvHeads() * s.headDim()};
        byte[] model = Graph.opset(OPSET)
                .input("q", queryRow)
                .input("k", keyRow)
                .input("v", keyRow)
                .input("pastK", s.keyShape())
                .input("pastV", s.keyShape())
                .intInput("lengths", s.batch())
                .intInput("total")
                .node(Graph.MICROSOFT, "GroupQueryAttention",
                        List.of("q", "k", "v", "pastK", "pastV", "lengths", "total"),
                        List.of("out", "presentK", "presentV"),
                        Map.of("num_heads", (long) s.heads(), "kv_num_heads", (long) s.kvHeads()))
                .output("out", queryRow)
                .output("presentK", s.keyShape())
                .output("presentV", s.keyShape())
                .bytes();
        Ort session = new Ort(model, in.threads());
        OnnxTensor cacheK = session.tensor(in.k(), s.keyShape());
        OnnxTensor cacheV = session.tensor(in.v(), s.keyShape());
        int[] lengths = new int[s.batch()];
        Arrays.fill(lengths, s.keys() - 1);
        return session.input("q", in.q(), queryRow)
                .input("k", last(in.k(), s), keyRow)
                .input("v", last(in.v(), s), keyRow)
                .input("pastK", cacheK)
                .input("pastV", cacheV)
                .input("lengths", lengths, s.batch())
                .input("total", new int[] {s.keys()})
                .output("out", queryRow)
                .output("presentK", cacheK)
                .output("presentV", cacheV);
    }

    @Override
    public String describe() {
        return super.describe() + ", GroupQueryAttention of com.microsoft, which appends a row";
    }

    private static float[] last(float[] rows, AttentionShape s) {
        int d = s.headDim();
        float[] last = new float[s.batch() * s.kvHeads() * d];
        for (int head = 0; head < s.batch() * s.kvHeads(); head++) {
            System.arraycopy(rows, ((head + 1) * s.keys() - 1) * d, last, head * d, d);
        }
        return last;
    }
}
