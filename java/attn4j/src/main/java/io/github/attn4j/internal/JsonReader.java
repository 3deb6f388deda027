// SPDX-License-Identifier: Apache-2.0
// RFC 8259 without leniency. The caller says what must come next, so that a document of another form is refused where
// it departs, and nothing is kept of it but what the caller keeps.
package io.github.attn4j.internal;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/** Reads one JSON document from its start to its end. A name that comes twice in an object is refused. */
public final class JsonReader {
    /** The most objects and arrays that may lie in each other. */
    public static final int MAX_DEPTH = 64;

    private static final int SHOWN = 24;

    private final CharSequence text;
    private int at;
    private int depth;

    private JsonReader(CharSequence text) {
        this.text = text;
    }

    /** What is no JSON, or not the JSON that was asked for. The message has the position, in characters. */
    public static final class Malformed extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message);
        }
    }

    /** Reads a whole document: the reader must be at its end when `document` returns. */
    public static void read(CharSequence text, Consumer<JsonReader> document) {
        JsonReader reader = new JsonReader(text);
        document.accept(reader);
        reader.space();
        reader.require(reader.at == text.length(), "nothing behind the document");
    }

    /** What comes next, by its first character: one of {["tfn, or - for a number. */
    public char peek() {
        space();
        char first = here();
        boolean number = first >= '0' && first <= '9';
        require(number || "{[\"tfn-".indexOf(first) >= 0, "a value");
        return number ? '-' : first;
    }

    /** An object; `member` gets each name and must read its value. */
    public void object(Consumer<String> member) {
        open('{', "an object");
        Set<String> names = new HashSet<>();
        if (!next('}')) {
            do {
                space();
                int from = at;
                String name = string();
                if (!names.add(name)) {
                    at = from;
                    throw malformed("each name once in an object");
                }
                require(next(':'), "a colon");
                member.accept(name);
            } while (next(','));
            require(next('}'), "a comma or the end of the object");
        }
        depth--;
    }

    /** An array; `element` must read one value. */
    public void array(Runnable element) {
        open('[', "an array");
        if (!next(']')) {
            do {
                element.run();
            } while (next(','));
            require(next(']'), "a comma or the end of the array");
        }
        depth--;
    }

    /** A string. */
    public String string() {
        space();
        require(at < text.length() && text.charAt(at) == '"', "a string");
        StringBuilder value = new StringBuilder();
        for (at++; here() != '"'; at++) {
            char c = text.charAt(at);
            require(c >= ' ', "no control character in a string");
            value.append(c == '\\' ? escape() : c);
        }
        at++;
        requirePairs(value);
        return value.toString();
    }

    /** The text of a number. */
    public String number() {
        space();
        int from = at;
        skip('-');
        if (!skip('0')) {
            digits();
        }
        if (skip('.')) {
            digits();
        }
        if (skip('e') || skip('E')) {
            if (!skip('+')) {
                skip('-');
            }
            digits();
        }
        return text.subSequence(from, at).toString();
    }

    /** An integer of 64 bits, without fraction or exponent. */
    public long integer() {
        space();
        int from = at;
        require(at < text.length() && peek() == '-', "an integer");
        String number = number();
        try {
            return Long.parseLong(number);
        } catch (NumberFormatException e) {
            at = from;
            throw malformed("an integer that fits 64 bits");
        }
    }

    /** One of true, false and null. */
    public String word() {
        space();
        for (String word : new String[] {"true", "false", "null"}) {
            int end = at + word.length();
            if (end <= text.length() && word.contentEquals(text.subSequence(at, end))) {
                at = end;
                return word;
            }
        }
        throw malformed("a value");
    }

    /** Reads over any value. */
    public void skip() {
        switch (peek()) {
            case '{' -> object(name -> skip());
            case '[' -> array(this::skip);
            case '"' -> string();
            case '-' -> number();
            default -> word();
        }
    }

    /** The exception for a document that is not what was asked for, at this position. */
    public Malformed malformed(String expected) {
        String found = at >= text.length() ? "the end"
            : "<" + text.subSequence(at, Math.min(text.length(), at + SHOWN)).toString().replaceAll("\\p{Cntrl}", "?")
                + ">";
        return new Malformed("the JSON must have " + expected + ": position=" + at + " found=" + found);
    }

    private void open(char bracket, String what) {
        space();
        require(at < text.length() && text.charAt(at) == bracket, what);
        if (depth == MAX_DEPTH) {
            throw malformed("at most " + MAX_DEPTH + " levels");
        }
        depth++;
        at++;
    }

    /** What the escape stands for; leaves the position on its last character. */
    private char escape() {
        at++;
        char escaped = here();
        int code = "\"\\/bfnrt".indexOf(escaped);
        if (code >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(code);
        }
        require(escaped == 'u', "an escape");
        int value = 0;
        for (int i = 0; i < 4; i++) {
            at++;
            int digit = here() < 128 ? Character.digit(here(), 16) : -1;
            require(digit >= 0, "four hexadecimal digits");
            value = value << 4 | digit;
        }
        return (char) value;
    }

    /** Halves of a surrogate pair alone are no text. */
    private void requirePairs(CharSequence value) {
        for (int i = 0; i < value.length(); i++) {
            if (Character.isSurrogate(value.charAt(i))) {
                require(i + 1 < value.length() && Character.isSurrogatePair(value.charAt(i), value.charAt(i + 1)),
                    "whole surrogate pairs before this");
                i++;
            }
        }
    }

    private void digits() {
        int from = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        require(at > from, "a digit");
    }

    private boolean skip(char expected) {
        boolean found = at < text.length() && text.charAt(at) == expected;
        at += found ? 1 : 0;
        return found;
    }

    private boolean next(char expected) {
        space();
        return skip(expected);
    }

    private char here() {
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
            throw malformed(expected);
        }
    }
}
