// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes tensors to a file in the <a href="https://github.com/huggingface/safetensors">safetensors</a> format, or to
 * several of a limited size with an index. Immutable and thread-safe.
 *
 * <p>The same tensors give the same bytes, whatever the order of the map: data lie by the width of their elements, the
 * widest first, then by name, so that every tensor is aligned. A file is written under another name beside its place
 * and then renamed over it: a reader sees the old file or the new one, and whoever has the old one mapped keeps it.
 */
public final class SafetensorsWriter {
    private static final String SUFFIX = ".safetensors";

    private final SortedMap<String, String> metadata;
    private final long shardBytes;

    private SafetensorsWriter(Builder builder) {
        metadata = new TreeMap<>(builder.metadata);
        shardBytes = builder.shardBytes;
    }

    /** {@return a builder: no metadata, one file} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Writes tensors, of any strides.
     *
     * @param tensors by their names
     * @param file its name ends with {@code .safetensors}. If the tensors have more bytes than
     *     {@link Builder#shardBytes} allows, the files are named after it, {@code model-00001-of-00003.safetensors} for
     *     {@code model.safetensors}, with the index {@code model.safetensors.index.json}; what stands under its own
     *     name then stays
     * @return what to give to {@link Safetensors}: the file, or the index
     * @throws IllegalArgumentException if the file or a tensor has a name that cannot be written
     * @throws IllegalStateException if the scope of a tensor is closed; no file is changed then
     * @throws IOException if it cannot be written; what was begun is deleted
     */
    public Path write(Map<String, Tensor> tensors, Path file) throws IOException {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        if (!name.endsWith(SUFFIX)) {
            throw new IllegalArgumentException("the name of the file must end with " + SUFFIX + ": file=" + file);
        }
        SortedMap<String, Tensor> sorted = new TreeMap<>();
        tensors.forEach((tensor, value) -> sorted.put(checked(tensor, value), value));
        List<SortedMap<String, Tensor>> shards = shards(sorted);
        try (Replacement replacement = new Replacement()) {
            if (shards.size() == 1) {
                write(sorted, file, replacement);
                replacement.commit();
                return file;
            }
            SortedMap<String, String> places = new TreeMap<>();
            String stem = name.substring(0, name.length() - SUFFIX.length());
            for (int i = 0; i < shards.size(); i++) {
                String shard = String.format("%s-%05d-of-%05d%s", stem, i + 1, shards.size(), SUFFIX);
                shards.get(i).keySet().forEach(tensor -> places.put(tensor, shard));
                write(shards.get(i), file.resolveSibling(shard), replacement);
            }
            long total = sorted.values().stream().mapToLong(SafetensorsWriter::bytes).sum();
            Path index = file.resolveSibling(name + ShardIndex.SUFFIX);
            replacement.begin(index).write(HeaderText.index(total, places));
            replacement.commit();
            return index;
        }
    }

    /** In the order of names, as many to a file as it may hold; one that is larger stands alone. */
    private List<SortedMap<String, Tensor>> shards(SortedMap<String, Tensor> tensors) {
        List<SortedMap<String, Tensor>> shards = new ArrayList<>(List.of(new TreeMap<>()));
        long used = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            long bytes = bytes(entry.getValue());
            if (!shards.get(shards.size() - 1).isEmpty() && bytes > shardBytes - used) {
                shards.add(new TreeMap<>());
                used = 0;
            }
            shards.get(shards.size() - 1).put(entry.getKey(), entry.getValue());
            used += bytes;
        }
        return shards;
    }

    private void write(SortedMap<String, Tensor> tensors, Path file, Replacement replacement) throws IOException {
        List<Map.Entry<String, Tensor>> widestFirst = new ArrayList<>(tensors.entrySet());
        widestFirst.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
        List<Entry> entries = new ArrayList<>();
        long end = 0;
        for (Map.Entry<String, Tensor> named : widestFirst) {
            Tensor tensor = named.getValue();
            entries.add(new Entry(named.getKey(), ElementType.of(tensor.dtype()).name(), tensor.shape().toArray(), end,
                end + bytes(tensor)));
            end += bytes(tensor);
        }
        ByteBuffer header = HeaderText.header(entries, metadata);
        Replacement.Output output = replacement.begin(file);
        output.write(header);
        for (Map.Entry<String, Tensor> named : widestFirst) {
            output.write(named.getValue());
        }
    }

    private static long bytes(Tensor tensor) {
        return tensor.elements() * tensor.dtype().bytes();
    }

    private static String checked(String name, Tensor tensor) {
        Objects.requireNonNull(name, "the name of a tensor must not be null");
        Objects.requireNonNull(tensor, () -> "tensor " + name + " must not be null");
        if (name.equals(Header.METADATA)) {
            throw new IllegalArgumentException("no tensor may have the name of the metadata: name=" + name);
        }
        return name;
    }

    /** Options, checked in {@link #build}. Not thread-safe. */
    public static final class Builder {
        private final Map<String, String> metadata = new TreeMap<>();
        private long shardBytes = Long.MAX_VALUE;

        private Builder() {}

        /**
         * A note to stand in every file; PyTorch's own readers look for "format", "pt".
         *
         * @param key its name; a second note of that name replaces the first
         * @param value its text
         * @return this
         */
        public Builder metadata(String key, String value) {
            metadata.put(Objects.requireNonNull(key, "key must not be null"),
                Objects.requireNonNull(value, () -> "metadata " + key + " must not be null"));
            return this;
        }

        /**
         * Splits what is larger into several files.
         *
         * @param bytes the most that the tensors of one file have, at least 1; one that is larger has a file for itself
         * @return this
         */
        public Builder shardBytes(long bytes) {
            shardBytes = bytes;
            return this;
        }

        /**
         * Checks the options.
         *
         * @return the writer
         * @throws IllegalArgumentException if the bytes of a file are not at least 1
         */
        public SafetensorsWriter build() {
            if (shardBytes < 1) {
                throw new IllegalArgumentException("shardBytes must be at least 1: shardBytes=" + shardBytes);
            }
            return new SafetensorsWriter(this);
        }
    }
}
