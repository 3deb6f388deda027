// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.conformance;

import io.github.attn4j.internal.JsonReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Any JSON as Map, List, String, Double, Boolean, or null. */
final class Json {
    private Json() {}

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) {
        Object[] result = new Object[1];
        JsonReader.read(text, json -> result[0] = value(json));
        return (Map<String, Object>) result[0];
    }

    private static Object value(JsonReader json) {
        switch (json.peek()) {
            case '{':
                Map<String, Object> members = new LinkedHashMap<>();
                json.object(name -> members.put(name, value(json)));
                return members;
            case '[':
                List<Object> elements = new ArrayList<>();
                json.array(() -> elements.add(value(json)));
                return elements;
            case '"':
                return json.string();
            case '-':
                return Double.valueOf(json.number());
            default:
                String word = json.word();
                return word.equals("null") ? null : Boolean.valueOf(word);
        }
    }
}
