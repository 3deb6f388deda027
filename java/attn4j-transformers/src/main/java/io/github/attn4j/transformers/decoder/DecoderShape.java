// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.decoder;

/**
 * The sizes of a decoder and the family it is built like.
 *
 * @param family how its layers are built
 * @param layers how many
 * @param width of the hidden states
 * @param heads of queries
 * @param kvHeads of keys and values
 * @param hidden features between the two halves of a feed-forward
 * @param vocabulary how many tokens there are
 * @param positions the most tokens of a sequence
 */
record DecoderShape(
        Family family, int layers, long width, long heads, long kvHeads, long hidden, long vocabulary, long positions) {
    enum Family {
        /** RMS norm, rotary embedding, grouped queries, SwiGLU, no biases. */
        LLAMA,
        /** Layer norm, learned positions, as many key-value heads as heads, GELU, biases. */
        GPT2
    }

    /** Four layers as wide as those of TinyLlama 1.1B, which has 22; input and output embedding are one. */
    static DecoderShape llama() {
        return new DecoderShape(Family.LLAMA, 4, 2048, 32, 4, 5632, 32_000, 2048);
    }

    /** GPT-2 as it is, 124 million parameters. */
    static DecoderShape gpt2() {
        return new DecoderShape(Family.GPT2, 12, 768, 12, 12, 3072, 50_257, 1024);
    }

    /** The numbers of a key or value. */
    long headDim() {
        return width / heads;
    }

    static DecoderShape of(String name) {
        return switch (name) {
            case "llama" -> llama();
            case "gpt2" -> gpt2();
            default -> throw new IllegalArgumentException("shape must be llama or gpt2: shape=" + name);
        };
    }

    @Override
    public String toString() {
        return "%s-shaped decoder: layers=%d width=%d heads=%d kvHeads=%d hidden=%d vocabulary=%d positions=%d"
                .formatted(family == Family.LLAMA ? "Llama" : "GPT-2", layers, width, heads, kvHeads, hidden,
                        vocabulary, positions);
    }
}
