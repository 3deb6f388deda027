// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {
    private static void malformed(String part, String text) {
        thrown(JsonReader.Malformed.class, part, () -> JsonReader.read(text, JsonReader::skip));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", " [ ] ", "\"\"", "0", "-0", "-0.5e+10", "1E5", "12.25e-3", "true", "false", "null",
        "{\"a\":{\"\":[1,2,{\"b\":null}]},\"b\":\"\\u00e9\\uD83D\\uDE00\"}", "[[],[[]]]", "\t\r\n 1"})
    void acceptsJson(String text) {
        JsonReader.read(text, JsonReader::skip);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "[", "]", "\"", "\"\\", "\"\\u12", "\"\\u12g4\"", "\"\\x\"", "\"\u0001\"",
        "01", "+1", "-", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "True", "nul", "[1,]", "[,1]",
        "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\":1,\"a\":2}", "{} {}", "1 2", "//",
        "\"\\ud800\"", "\"\\ude00\"",
        "\"\\ud800x\"", "\"\\u\uff11\uff11\uff11\uff11\"", "\uff11", "\u00a01", "\ufeff{}"})
    void refusesAllElse(String text) {
        malformed("the JSON must have ", text);
    }

    @Test
    void givesValues() {
        List<Object> values = new ArrayList<>();
        JsonReader.read(
            "{\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\": [-9223372036854775808, 1.50e1], \"w\": true, \"p\": {}}",
            json -> json.object(name -> {
                values.add(name);
                values.add(json.peek());
                switch (json.peek()) {
                    case '[' -> {
                        json.array(() -> values.add(values.size() < 3 ? (Object) json.integer() : json.number()));
                    }
                    case 't' -> values.add(json.word());
                    default -> json.skip();
                }
            }));
        assertEquals(List.of("a\"\\/\b\f\n\r\tA", '[', Long.MIN_VALUE, "1.50e1", "w", 't', "true", "p", '{'), values);
    }

    @Test
    void saysWhereAndWhat() {
        malformed("a comma or the end of the array: position=3 found=<2]>", "[1 2]");
        malformed("a digit: position=2 found=the end", "1.");
        malformed("nothing behind the document: position=2 found=<?x>", "{}\u0000x");
        thrown(JsonReader.Malformed.class, "an integer that fits 64 bits: position=1 found=<9223372036854775808>",
            () -> JsonReader.read(" 9223372036854775808", JsonReader::integer));
        thrown(JsonReader.Malformed.class, "an integer: position=0 found=<\"1\">",
            () -> JsonReader.read("\"1\"", JsonReader::integer));
    }

    @Test
    void limitsDepth() {
        JsonReader.read("[".repeat(64) + "]".repeat(64), JsonReader::skip);
        malformed("at most 64 levels: position=64", "[".repeat(65) + "]".repeat(65));
        malformed("at most 64 levels", "{\"a\":".repeat(1_000_000));
        JsonReader.read("[" + "[],".repeat(1000) + "[]]", JsonReader::skip);
    }
}
