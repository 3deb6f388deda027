// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import io.github.attn4j.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What every head of an encoder looks at in one text. Immutable and thread-safe; the tensors live as long as the scope
 * they were asked for in.
 *
 * @param tokens the text as the model sees it, special tokens included
 * @param words the words of the text as it has them, in its order; special tokens are of no word
 * @param layers for each layer the weights, FLOAT32 [heads, tokens, tokens]: how much of what a query (the row) takes
 *     up comes from each key (the column); shares without a unit, each row sums to 1
 */
public record TextAttention(List<String> tokens, List<Word> words, List<Tensor> layers) {
    /**
     * A word and the pieces it was cut into.
     *
     * @param text as the text has it
     * @param tokens where its pieces are among the tokens
     */
    public record Word(String text, TokenSpan tokens) {}

    /**
     * Copies the lists.
     *
     * @param tokens the text as the model sees it
     * @param words the words of the text
     * @param layers [heads, tokens, tokens] for each layer
     */
    public TextAttention {
        tokens = List.copyOf(tokens);
        words = List.copyOf(words);
        layers = List.copyOf(layers);
    }

    /**
     * Looks a word up.
     *
     * @param text a word as the tokenizer cuts them: without blanks and punctuation; upper and lower case are the same
     * @return the first such word of the text
     */
    public Optional<Word> word(String text) {
        Objects.requireNonNull(text, "text");
        return words.stream().filter(word -> word.text().equalsIgnoreCase(text)).findFirst();
    }
}
