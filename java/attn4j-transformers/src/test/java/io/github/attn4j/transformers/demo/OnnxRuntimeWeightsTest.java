// SPDX-License-Identifier: Apache-2.0
// The weights of every head against what goes through the softmax of the same model in ONNX Runtime. The file does not
// give them out; but two protobuf messages end to end are one, so a list of further outputs is put after the file.
package io.github.attn4j.transformers.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.SentenceEncoder;
import io.github.attn4j.transformers.TextAttention;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OnnxRuntimeWeightsTest {
    private static final String MODEL = "all-minilm-l6-v2";
    private static final int GRAPH = 7; // of ModelProto
    private static final int OUTPUT = 12; // of GraphProto
    private static final int NAME = 1; // of ValueInfoProto

    private static String softmax(int layer) {
        return "/encoder/layer." + layer + "/attention/self/Softmax_output_0";
    }

    private static byte[] field(int number, byte[] value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeBytes(number, ByteString.copyFrom(value));
        out.flush();
        return bytes.toByteArray();
    }

    private static byte[] model(int layers) throws IOException {
        ByteArrayOutputStream model = new ByteArrayOutputStream();
        try (InputStream in = OnnxRuntimeWeightsTest.class.getResourceAsStream("/" + MODEL + ".onnx")) {
            in.transferTo(model);
        }
        for (int layer = 0; layer < layers; layer++) {
            model.write(field(GRAPH, field(OUTPUT, field(NAME, softmax(layer).getBytes()))));
        }
        return model.toByteArray();
    }

    @Test
    void weightsEqualOnnxRuntimes() throws Exception {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        String text = Maps.SENTENCE + " More of it, tokenized.".repeat(9);
        try (TensorScope scope = TensorScope.open();
                SentenceEncoder encoder = SentenceEncoder.load(MODEL);
                OrtSession session = environment.createSession(model(6))) {
            TextAttention attention = encoder.attention(scope, text);
            long[] ids = Arrays.stream(encoder.tokenize(List.of(text)).get(0)).asLongStream().toArray();
            long[] ones = new long[ids.length];
            Arrays.fill(ones, 1);
            try (OnnxTensor tokens = OnnxTensor.createTensor(environment, new long[][] {ids});
                    OnnxTensor mask = OnnxTensor.createTensor(environment, new long[][] {ones});
                    OnnxTensor types = OnnxTensor.createTensor(environment, new long[1][ids.length]);
                    OrtSession.Result result = session.run(
                            Map.of("input_ids", tokens, "attention_mask", mask, "token_type_ids", types))) {
                for (int layer = 0; layer < 6; layer++) {
                    FloatBuffer expected = ((OnnxTensor) result.get(softmax(layer)).orElseThrow()).getFloatBuffer();
                    float[] actual = attention.layers().get(layer).toFloatArray();
                    assertEquals(expected.remaining(), actual.length);
                    for (float weight : actual) {
                        assertEquals(expected.get(), weight, 1e-5f, "layer " + layer);
                    }
                }
            }
        }
    }
}
