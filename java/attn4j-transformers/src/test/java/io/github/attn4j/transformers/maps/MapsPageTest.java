// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.maps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.TokenSpan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MapsPageTest {
    private static final Pattern DATA =
            Pattern.compile("<script type=\"application/json\" id=\"data\">(.*?)</script>", Pattern.DOTALL);
    private static final List<String> HOSTILE = List.of(
            "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "]]>", "\"'\\`", "&lt;",
            "{{data}}", "$1\\1", "\u2028\u2029\u0000", "\uD800", "日本語", "😀");

    private static JsonObject data(String page) {
        Matcher matcher = DATA.matcher(page);
        assertTrue(matcher.find());
        return JsonParser.parseString(matcher.group(1)).getAsJsonObject();
    }

    private static List<String> strings(JsonArray array) {
        return array.asList().stream().map(text -> text.getAsString()).toList();
    }

    @Test
    void everyHeadOfEveryLayerIsThere(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("maps.html");
        int[] heads = {3, 1, 17};
        List<String> queries = MapsTestWeights.tokens(5);
        List<String> keys = MapsTestWeights.tokens(7);
        AttentionMaps maps = AttentionMaps.of(queries, keys);
        try (TensorScope scope = TensorScope.open()) {
            for (int layer = 0; layer < heads.length; layer++) {
                float[] weights = MapsTestWeights.random(heads[layer], 5, 7);
                maps.layer("layer " + layer, scope.of(weights, heads[layer], 5, 7));
            }
        }
        maps.mark(maps.strongest(new TokenSpan(1, 3), new TokenSpan(2, 3))).writeHtml(file);
        JsonObject data = data(Files.readString(file));
        assertEquals(queries, strings(data.getAsJsonArray("queries")));
        assertEquals(keys, strings(data.getAsJsonArray("keys")));
        assertFalse(data.get("selfAttention").getAsBoolean());
        assertEquals(maps.mark.weight(), data.getAsJsonObject("mark").get("weight").getAsFloat());
        for (int layer = 0; layer < heads.length; layer++) {
            JsonObject entry = data.getAsJsonArray("layers").get(layer).getAsJsonObject();
            float[] weights = MapsTestWeights.random(heads[layer], 5, 7);
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(entry.get("weights").getAsString()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(heads[layer], entry.get("heads").getAsInt());
            assertEquals(2 * weights.length, bytes.remaining());
            for (float weight : weights) {
                assertEquals(weight, (bytes.getShort() & 0xFFFF) / 65535.0, 1.0 / 65535);
            }
        }
    }

    @Test
    void textIsNeverMarkup(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("maps.html");
        String innocent;
        try (TensorScope scope = TensorScope.open()) {
            AttentionMaps.of(MapsTestWeights.tokens(12)).title("a").subtitle("a")
                    .layer("a", scope.of(MapsTestWeights.random(1, 12, 12), 1, 12, 12)).writeHtml(file);
            innocent = Files.readString(file);
            String all = String.join("", HOSTILE).replace("\uD800", "").replace("\u0000", "");
            AttentionMaps.of(HOSTILE).title(all).subtitle(all)
                    .layer(all, scope.of(MapsTestWeights.random(1, 12, 12), 1, 12, 12)).writeHtml(file);
        }
        String page = Files.readString(file);
        assertEquals(HOSTILE, strings(data(page).getAsJsonArray("queries")));
        assertEquals(count("<", innocent), count("<", page));
        assertEquals(2, count("</script>", page));
    }

    @Test
    void thePageLoadsNothing(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("maps.html");
        try (TensorScope scope = TensorScope.open()) {
            AttentionMaps.of(List.of("a")).layer("a", scope.of(new float[] {2.5f}, 1, 1, 1)).writeHtml(file);
        }
        String page = Files.readString(file);
        assertTrue(page.contains("default-src 'none'"));
        for (String loading : new String[] {" src=", "<link", "@import", "url(", "fetch(", "import(", "https:"}) {
            assertFalse(page.contains(loading), loading);
        }
        assertEquals(2.5f, data(page).get("top").getAsFloat());
        assertTrue(data(page).get("mark").isJsonNull());
    }

    private static int count(String part, String text) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }
}
