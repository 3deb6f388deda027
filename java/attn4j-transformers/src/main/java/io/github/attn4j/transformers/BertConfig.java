// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

/**
 * The sizes of a BERT encoder, as its weights and graph give them.
 *
 * @param layers transformer layers
 * @param heads attention heads; {@code hidden = heads * headDim}
 * @param hidden features of a token between layers
 * @param intermediate features inside the feed-forward part
 * @param vocabulary rows of the word table: token ids lie below it
 * @param positions rows of the position table: the most tokens of a sequence
 */
record BertConfig(int layers, int heads, int hidden, int intermediate, int vocabulary, int positions) {
    int headDim() {
        return hidden / heads;
    }
}
