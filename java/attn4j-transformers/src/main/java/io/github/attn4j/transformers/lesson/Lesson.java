// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.lesson;

import io.github.attn4j.attention.Attention;
import io.github.attn4j.attention.AttentionInputs;
import io.github.attn4j.attention.ScoreStage;
import io.github.attn4j.nn.Linear;
import io.github.attn4j.nn.WeightLayout;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * A lesson: attention step by step, with numbers small enough to check on paper. First one head, then two. Read it from
 * {@link #oneHead} on, beside what {@code mvn -q -Plesson} prints.
 *
 * <p>The inputs are small whole numbers, so the scores are too; they are not divided by the square root of headDim, as
 * they would be by default.
 */
public final class Lesson {
    /** Three tokens, each described by four features: [tokens, features]. */
    private static final float[] X = {
        1, 0, 1, 0,
        0, 2, 0, 2,
        1, 1, 1, 1
    };

    /** What a token asks for: [features, headDim]. In a model these three are learned. */
    private static final float[] W_QUERY = {
        1, 0, 1,
        1, 0, 0,
        0, 0, 1,
        0, 1, 1
    };

    /** What a token offers: [features, headDim]. */
    private static final float[] W_KEY = {
        0, 0, 1,
        1, 1, 0,
        0, 1, 0,
        1, 1, 0
    };

    /** What a token hands over to those that look at it: [features, valueDim]. */
    private static final float[] W_VALUE = {
        0, 2, 0,
        0, 3, 0,
        1, 0, 3,
        1, 1, 0
    };

    /** The same three for a second head, which looks for other things. */
    private static final float[] W_QUERY_2 = {
        1, 0, 0,
        0, 1, 0,
        1, 0, 1,
        0, 1, 0
    };

    private static final float[] W_KEY_2 = {
        0, 1, 1,
        1, 0, 0,
        0, 0, 0,
        0, 0, 0
    };

    private static final float[] W_VALUE_2 = {
        1, 0, 0,
        0, 0, 1,
        0, 1, 0,
        1, 0, 1
    };

    private static final int TOKENS = 3;
    private static final int FEATURES = 4;
    private static final int HEAD_DIM = 3;

    private final Printer print;

    Lesson(PrintStream out) {
        print = new Printer(out);
    }

    /**
     * Gives the lesson.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        new Lesson(new PrintStream(System.out, true, StandardCharsets.UTF_8)).run();
    }

    void run() {
        // A scope owns the memory of the tensors made in it, and frees it at the end of the block.
        try (TensorScope scope = TensorScope.open()) {
            Tensor x = scope.of(X, TOKENS, FEATURES);
            oneHead(scope, x);
            twoHeads(scope, x);
        }
    }

    private void oneHead(TensorScope scope, Tensor x) {
        print.heading("One head");
        print.text("Three tokens, each described by four features.");
        print.matrix("x", "[tokens, features]", x);

        print.text("Step 1. Each token gets a query (what it looks for), a key (what it offers to those who look)",
                "and a value (what they take from it): three products with matrices, which a model learns.");
        Tensor queries = project(scope, x, W_QUERY);
        Tensor keys = project(scope, x, W_KEY);
        Tensor values = project(scope, x, W_VALUE);
        print.matrix("queries = x Wq", "[tokens, headDim]", queries);
        print.matrix("keys = x Wk", "[tokens, headDim]", keys);
        print.matrix("values = x Wv", "[tokens, valueDim]", values);

        // Attention takes batches of many heads: [batch, heads, tokens, headDim]. Here there is one batch entry and one
        // head; reshape gives the same numbers another shape, without a copy.
        Tensor q = queries.reshape(1, 1, TOKENS, HEAD_DIM);
        Tensor k = keys.reshape(1, 1, TOKENS, HEAD_DIM);
        Tensor v = values.reshape(1, 1, TOKENS, HEAD_DIM);

        print.text("Step 2. How well does each query fit each key? Their dot product says it: the score.",
                "Row i is what token i thinks of all tokens.");
        Tensor scores = scope.zeros(DType.FLOAT32, 1, 1, TOKENS, TOKENS);
        attend(scope, ScoreStage.SCALED, q, k, v, scores);
        print.matrix("scores = queries keys^T", "[queries, keys]", matrix(scores, 0));

        print.text("Step 3. Softmax makes each row of scores into shares that sum to 1: exp(score), divided by",
                "the sum over the row. The best fit takes most, and the others never quite nothing.");
        Tensor weights = scope.zeros(DType.FLOAT32, 1, 1, TOKENS, TOKENS);
        Tensor outputs = attend(scope, ScoreStage.WEIGHTS, q, k, v, weights);
        print.matrix("weights = softmax(scores)", "[queries, keys]", matrix(weights, 0));

        print.text("Step 4. Each token takes up the values of all tokens, each by its share. That is attention.");
        print.matrix("outputs = weights values", "[queries, valueDim]", matrix(outputs, 0));
    }

    private void twoHeads(TensorScope scope, Tensor x) {
        print.heading("Two heads");
        print.text("A head can only look in one way. So a model has several, each with matrices of its own, and does",
                "the same in each. First, the matrices of all heads stand side by side: still three products.");
        int heads = 2;
        Tensor queries = project(scope, x, W_QUERY, W_QUERY_2);
        Tensor keys = project(scope, x, W_KEY, W_KEY_2);
        Tensor values = project(scope, x, W_VALUE, W_VALUE_2);
        print.matrix("queries = x Wq", "[tokens, heads * headDim]", queries);
        print.matrix("keys = x Wk", "[tokens, heads * headDim]", keys);
        print.matrix("values = x Wv", "[tokens, heads * valueDim]", values);

        print.text("Then the columns of each head are seen as a matrix of its own, without a copy.",
                "    [tokens, heads * headDim] -> [tokens, heads, headDim] -> [heads, tokens, headDim]");
        Tensor q = split(queries, heads);
        Tensor k = split(keys, heads);
        Tensor v = split(values, heads);

        print.text("One call does both heads. Head 0 is the one from above and sees the same; head 1 looks elsewhere.");
        Tensor scores = scope.zeros(DType.FLOAT32, 1, heads, TOKENS, TOKENS);
        attend(scope, ScoreStage.SCALED, q, k, v, scores);
        Tensor weights = scope.zeros(DType.FLOAT32, 1, heads, TOKENS, TOKENS);
        Tensor outputs = attend(scope, ScoreStage.WEIGHTS, q, k, v, weights);
        for (int head = 0; head < heads; head++) {
            print.matrix("scores of head " + head, "[queries, keys]", matrix(scores, head));
            print.matrix("weights of head " + head, "[queries, keys]", matrix(weights, head));
            print.matrix("outputs of head " + head, "[queries, valueDim]", matrix(outputs, head));
        }

        print.text("At last the heads' outputs stand side by side again, so that each token has one row: the way back.",
                "    [heads, tokens, valueDim] -> [tokens, heads, valueDim] -> [tokens, heads * valueDim]");
        Tensor joined = scope.zeros(DType.FLOAT32, TOKENS, heads, HEAD_DIM);
        joined.copyFrom(outputs.select(0, 0).transpose(0, 1));
        print.matrix("outputs of both heads", "[tokens, heads * valueDim]", joined.reshape(TOKENS, heads * HEAD_DIM));
        print.text("A model multiplies that by one more learned matrix and goes on. It also divides the scores by",
                "sqrt(headDim), so that softmax does not pick one key alone; here that is left out for whole numbers.");
    }

    /** {@code x W}, where W is the matrices of all heads side by side: [tokens, heads * headDim]. */
    private static Tensor project(TensorScope scope, Tensor x, float[]... perHead) {
        Tensor w = scope.zeros(DType.FLOAT32, FEATURES, (long) perHead.length * HEAD_DIM);
        for (int head = 0; head < perHead.length; head++) {
            w.slice(1, (long) head * HEAD_DIM, (head + 1L) * HEAD_DIM).copyFrom(perHead[head]);
        }
        Tensor projected = scope.zeros(DType.FLOAT32, x.size(0), w.size(1));
        Linear.builder(w).layout(WeightLayout.IN_OUT).build().run(x, projected);
        return projected;
    }

    /** [tokens, heads * headDim] as [1, heads, tokens, headDim], the same memory. */
    private static Tensor split(Tensor projected, int heads) {
        return projected.reshape(1, TOKENS, heads, HEAD_DIM).transpose(1, 2);
    }

    /**
     * Attention. It never stores scores or weights, but can be asked to write them as they are at a stage: [batch,
     * heads, queries, keys]. It multiplies the scores by 1 / sqrt(headDim) unless it is given another factor, here 1.
     * Returns the outputs, [batch, heads, queries, valueDim].
     */
    private static Tensor attend(TensorScope scope, ScoreStage stage, Tensor q, Tensor k, Tensor v, Tensor written) {
        Attention attention = Attention.builder().scale(1f).scores(stage).build();
        return attention.apply(scope, AttentionInputs.of(q, k, v, null).scores(written));
    }

    /** One head of the only batch entry. */
    private static Tensor matrix(Tensor all, int head) {
        return all.select(0, 0).select(0, head);
    }
}
