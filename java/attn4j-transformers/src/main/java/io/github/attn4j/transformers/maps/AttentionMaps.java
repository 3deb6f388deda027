// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.maps;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.transformers.TokenSpan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Shows the weights of attention: every layer and head as a small heat map, on a web page of one file that needs no
 * network, and as a PNG. They may come from any module, self-attention or cross attention. Not thread-safe.
 *
 * <pre>{@code
 * AttentionMaps.of(tokens).title("One layer of mine").layer("decoder", weights).writeHtml(Path.of("maps.html"));
 * }</pre>
 *
 * <p>On the page a click enlarges a head, and pointing at a word (with the mouse, a finger, or the keyboard) shows what
 * it looks at. {@code maps.html#layer=3&head=5&word=8} opens it there; all are counted from 0. A colour stands for the
 * square root of a weight, the same in all heads: from 0 to 1, or to the largest weight where dropout made one larger.
 * Thumbnails show at most {@value #MOST_PIXELS} rows and columns; beyond, a pixel is the largest of its weights.
 */
public final class AttentionMaps {
    /** The most tokens on either side: more could not be read. */
    public static final int MOST_TOKENS = 512;

    /** The most weights of all layers together, which make a page of 11 MB. */
    public static final int MOST_WEIGHTS = 1 << 22;

    static final int MOST_PIXELS = 128;

    final List<String> queries;
    final List<String> keys;
    final List<MapLayer> layers = new ArrayList<>();
    String title = "What the heads look at";
    String subtitle = "";
    Link mark;

    private AttentionMaps(List<String> queries, List<String> keys) {
        this.queries = queries;
        this.keys = keys;
    }

    /**
     * Maps of self-attention.
     *
     * @param tokens what each row and each column stands for; any text
     * @return maps without layers
     * @throws IllegalArgumentException if there are none, or more than {@link #MOST_TOKENS}
     * @throws NullPointerException if the list or a token is null
     */
    public static AttentionMaps of(List<String> tokens) {
        List<String> checked = checked("tokens", tokens);
        return new AttentionMaps(checked, checked);
    }

    /**
     * Maps of cross attention.
     *
     * @param queryTokens what each row stands for
     * @param keyTokens what each column stands for
     * @return maps without layers
     * @throws IllegalArgumentException if there are none on a side, or more than {@link #MOST_TOKENS}
     * @throws NullPointerException if a list or a token is null
     */
    public static AttentionMaps of(List<String> queryTokens, List<String> keyTokens) {
        return new AttentionMaps(checked("queryTokens", queryTokens), checked("keyTokens", keyTokens));
    }

    /**
     * What stands on top.
     *
     * @param text any text, such as the sentence
     * @return this
     */
    public AttentionMaps title(String text) {
        title = Objects.requireNonNull(text, "title");
        return this;
    }

    /**
     * What stands under the title.
     *
     * @param text any text, such as the model's name
     * @return this
     */
    public AttentionMaps subtitle(String text) {
        subtitle = Objects.requireNonNull(text, "subtitle");
        return this;
    }

    /**
     * Adds a layer below those there are. Layers may differ in their number of heads.
     *
     * @param name any text, such as "layer 0"
     * @param weights floating-point [heads, queries, keys]: row i is what query i looks at. Shares without a unit, from
     *     0 to 1 (dropout may make them larger); a row need not sum to 1. Copied.
     * @return this
     * @throws IllegalArgumentException if rank or sizes do not fit the tokens, a weight is negative, infinite or NaN,
     *     or all layers together exceed {@link #MOST_WEIGHTS}; nothing was added then
     * @throws IllegalStateException if the scope of the weights is closed
     */
    public AttentionMaps layer(String name, Tensor weights) {
        int held = layers.stream().mapToInt(MapLayer::elements).sum();
        layers.add(new MapLayer(name, weights, queries.size(), keys.size(), MOST_WEIGHTS - held));
        return this;
    }

    /**
     * The head that lets these queries look at these keys most. Of equal ones, the first.
     *
     * @param from query tokens
     * @param to key tokens
     * @return the head and how much
     * @throws IndexOutOfBoundsException if a span exceeds the tokens
     * @throws IllegalStateException if there is no layer
     */
    public Link strongest(TokenSpan from, TokenSpan to) {
        checkSpan("queries", from, queries.size());
        checkSpan("keys", to, keys.size());
        checkLayers();
        Link best = null;
        for (int layer = 0; layer < layers.size(); layer++) {
            for (int head = 0; head < layers.get(layer).heads; head++) {
                float weight = layers.get(layer).link(head, from, to);
                if (best == null || weight > best.weight()) {
                    best = new Link(layer, head, from, to, weight);
                }
            }
        }
        return best;
    }

    /**
     * Highlights a link, and names it under the title.
     *
     * @param link as {@link #strongest} gives it; null for none
     * @return this
     * @throws IndexOutOfBoundsException if there is no such layer, head or token
     */
    public AttentionMaps mark(Link link) {
        if (link != null) {
            Objects.checkIndex(link.head(), layers.get(link.layer()).heads);
            checkSpan("queries", link.queries(), queries.size());
            checkSpan("keys", link.keys(), keys.size());
        }
        mark = link;
        return this;
    }

    /**
     * Writes the page: UTF-8, one file, which loads nothing and is forbidden to. It holds each weight in 16 bits.
     *
     * @param file is replaced if it exists
     * @throws IOException if it cannot be written
     * @throws IllegalStateException if there is no layer; nothing was written then
     */
    public void writeHtml(Path file) throws IOException {
        checkLayers();
        Files.writeString(file, MapsPage.of(this));
    }

    /**
     * Writes the heat maps of all heads as a PNG, on a light ground.
     *
     * @param file is replaced if it exists
     * @throws IOException if it cannot be written
     * @throws IllegalStateException if there is no layer; nothing was written then
     */
    public void writePng(Path file) throws IOException {
        checkLayers();
        MapsPicture.write(file, this);
    }

    /** The weight that has the last colour. */
    float top() {
        return layers.stream().map(MapLayer::largest).reduce(1f, Math::max);
    }

    /** The text of tokens, for people. */
    static String text(List<String> tokens, TokenSpan span) {
        StringBuilder text = new StringBuilder();
        for (String token : tokens.subList(span.from(), span.to())) {
            text.append(text.length() > 0 && token.startsWith("##") ? token.substring(2) : token);
        }
        return text.toString();
    }

    private void checkLayers() {
        if (layers.isEmpty()) {
            throw new IllegalStateException("maps need at least 1 layer: layers=0");
        }
    }

    private static void checkSpan(String what, TokenSpan span, int tokens) {
        if (span.to() > tokens) {
            throw new IndexOutOfBoundsException(
                    "a span must lie within the tokens of the " + what + ": to=" + span.to() + " tokens=" + tokens);
        }
    }

    private static List<String> checked(String what, List<String> tokens) {
        Objects.requireNonNull(tokens, what);
        if (tokens.isEmpty() || tokens.size() > MOST_TOKENS) {
            throw new IllegalArgumentException(
                    what + " must be 1 to " + MOST_TOKENS + ": " + what + ".size()=" + tokens.size());
        }
        for (int i = 0; i < tokens.size(); i++) {
            if (tokens.get(i) == null) {
                throw new NullPointerException(what + " must not be null: " + what + "[" + i + "]");
            }
        }
        return List.copyOf(tokens);
    }
}
