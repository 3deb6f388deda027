// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A strict reader of JSON: Map, List, String, Double, Boolean, or null. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        json.require(json.at == text.length(), "the end");
        return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) {
        return (Map<String, Object>) parse(text);
    }

    private Object value() {
        space();
        switch (peek()) {
            case '{':
                return members();
            case '[':
                return elements();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> members() {
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        if (!next('}')) {
            do {
                space();
                String name = string();
                require(next(':'), ":");
                require(!members.containsKey(name), "a new name instead of " + name);
                members.put(name, value());
            } while (next(','));
            require(next('}'), "}");
        }
        return members;
    }

    private List<Object> elements() {
        List<Object> elements = new ArrayList<>();
        at++;
        if (!next(']')) {
            do {
                elements.add(value());
            } while (next(','));
            require(next(']'), "]");
        }
        return elements;
    }

    private String string() {
        require(peek() == '"', "a string");
        StringBuilder value = new StringBuilder();
        for (at++; peek() != '"'; at++) {
            if (text.charAt(at) != '\\') {
                value.append(text.charAt(at));
                continue;
            }
            at++;
            char escaped = peek();
            int code = "\"\\/bfnrt".indexOf(escaped);
            require(code >= 0 || escaped == 'u', "an escape");
            if (escaped == 'u') {
                value.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                at += 4;
            } else {
                value.append("\"\\/\b\f\n\r\t".charAt(code));
            }
        }
        at++;
        return value.toString();
    }

    private Double number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        require(at > from, "a value");
        return Double.valueOf(text.substring(from, at));
    }

    private Object word(String word, Object value) {
        require(text.startsWith(word, at), word);
        at += word.length();
        return value;
    }

    private boolean next(char expected) {
        space();
        boolean found = peek() == expected;
        at += found ? 1 : 0;
        return found;
    }

    private char peek() {
        require(at < text.length(), "more");
        return text.charAt(at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private void require(boolean condition, String expected) {
        if (!condition) {
            throw new IllegalArgumentException("JSON must have " + expected + ": position=" + at + " text=" + text);
        }
    }
}
