// SPDX-License-Identifier: Apache-2.0
// The page as one text: page.html with page.css, page.js and the data put into it. Whatever comes from outside stands
// in it as a JSON string without a single < or &, or escaped in the title; the script only ever sets it as text.
package io.github.attn4j.transformers.maps;

import io.github.attn4j.transformers.TokenSpan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

final class MapsPage {
    private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)}}");

    private MapsPage() {}

    static String of(AttentionMaps maps) throws IOException {
        Map<String, String> parts = Map.of(
                "title", escaped(maps.title), "style", resource("page.css"), "script", resource("page.js"), "data",
                data(maps));
        // In one pass, so that a place in what is put in is no place.
        return PLACE.matcher(resource("page.html"))
                .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = MapsPage.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String data(AttentionMaps maps) {
        float top = maps.top();
        String layers = maps.layers.stream()
                .map(layer -> "{\"name\":" + string(layer.name) + ",\"heads\":" + layer.heads + ",\"weights\":\""
                        + Base64.getEncoder().encodeToString(layer.quantized(top)) + "\"}")
                .collect(Collectors.joining(",\n", "[", "]"));
        StringBuilder colours = new StringBuilder();
        for (int step = 0; step < ColourScale.SIZE; step++) {
            colours.append(String.format("%06x", ColourScale.dark(step)));
        }
        return "{\"title\":" + string(maps.title) + ",\"subtitle\":" + string(maps.subtitle) + ",\n\"queries\":"
                + strings(maps.queries) + ",\n\"keys\":" + strings(maps.keys) + ",\n\"top\":" + top + ",\"mostPixels\":"
                + AttentionMaps.MOST_PIXELS + ",\"selfAttention\":" + maps.queries.equals(maps.keys) + ",\n\"mark\":"
                + mark(maps) + ",\n\"colours\":\"" + colours + "\",\n\"layers\":" + layers + "}";
    }

    private static String mark(AttentionMaps maps) {
        Link mark = maps.mark;
        if (mark == null) {
            return "null";
        }
        return "{\"layer\":" + mark.layer() + ",\"head\":" + mark.head() + ",\"weight\":" + mark.weight()
                + ",\"queries\":" + span(mark.queries()) + ",\"keys\":" + span(mark.keys()) + ",\"from\":"
                + string(AttentionMaps.text(maps.queries, mark.queries())) + ",\"to\":"
                + string(AttentionMaps.text(maps.keys, mark.keys())) + "}";
    }

    private static String span(TokenSpan span) {
        return "[" + span.from() + "," + span.to() + "]";
    }

    private static String strings(List<String> texts) {
        return texts.stream().map(MapsPage::string).collect(Collectors.joining(",", "[", "]"));
    }

    /** A JSON string of printable ASCII, without the characters that mean something to HTML. */
    private static String string(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c > '~' || "\"\\<>&'`".indexOf(c) >= 0) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
