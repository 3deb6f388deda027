// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of a file in the <a href="https://github.com/huggingface/safetensors">safetensors</a> format, or of the
 * several files that an index ({@code model.safetensors.index.json}) lists. Immutable and thread-safe; it owns its
 * tensors, which are not to be used after it is closed.
 *
 * <p>{@link #open} maps files into memory: nothing is read before it is used, and what is read is shared with all
 * processes that map the same file. {@link #read} copies them into memory of this process.
 *
 * <p><b>Which of the two.</b> If another process truncates a mapped file, touching what is gone is a bus error, which
 * no JVM can turn into an exception in native code: the process ends. And if it overwrites the file in place, the
 * tensors change. So map files that are only ever replaced as a whole (written beside and renamed over, as
 * {@link SafetensorsWriter} and package managers do, which leaves a mapping as it was), and read all others.
 *
 * <p>A file is checked as a whole when it is opened, against its own size and before memory is taken for what it
 * claims: tensors that overlap, leave gaps, lie outside of the file or disagree with their shapes, names that come
 * twice, and JSON of any other form are a {@link WeightsFormatException}. Types that tensors do not have (F64, U8, F8
 * and others) are no defect; only asking for such a tensor is refused.
 */
public final class Safetensors implements AutoCloseable {
    private final String file;
    private final TensorScope scope = TensorScope.open();
    private final Set<String> names = new LinkedHashSet<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<String, String> refused = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private Safetensors(Path path) {
        file = path.toString();
    }

    /** Loads the tensors of one file. */
    @FunctionalInterface
    private interface Loading {
        void load(Shard shard, TensorScope scope, Map<String, Tensor> tensors, Map<String, String> refused)
            throws IOException;
    }

    /**
     * Maps a file, or the files of an index, into memory. The tensors are read-only views of it; one whose place in the
     * file is not aligned to its elements, as no current writer leaves it, is copied instead. On JDK 22 and newer
     * {@link #close} unmaps at once, before that the garbage collector does some time later (until then Windows does
     * not let the file be deleted).
     *
     * @param file in the format, or an index whose name ends with {@code .index.json}, its files beside it
     * @return its tensors, to be closed by the caller
     * @throws WeightsFormatException if a file is damaged, or an index disagrees with its files
     * @throws IOException if a file is not there or cannot be read
     */
    public static Safetensors open(Path file) throws IOException {
        return load(file, Shard::map);
    }

    /**
     * Reads a file, or the files of an index, into memory outside of the Java heap, each tensor aligned to 64 bytes.
     * The tensors may be written to, which changes no file.
     *
     * @param file in the format, or an index whose name ends with {@code .index.json}, its files beside it
     * @return its tensors, to be closed by the caller
     * @throws WeightsFormatException if a file is damaged, ends while it is read, or an index disagrees with its files
     * @throws IOException if a file is not there or cannot be read
     * @throws OutOfMemoryError if there is no memory for all of them
     */
    public static Safetensors read(Path file) throws IOException {
        return load(file, Shard::read);
    }

    /**
     * The names of all tensors, also of those that {@link #tensor} refuses.
     *
     * @return unmodifiable, in the order of the files and of the data in each
     */
    public Set<String> names() {
        return Collections.unmodifiableSet(names);
    }

    /**
     * A tensor.
     *
     * @param name its name
     * @return the tensor in the file's shape, valid until this is closed
     * @throws IllegalArgumentException if there is none of that name
     * @throws UnsupportedOperationException if tensors have no such type, not so many dimensions, or if it is mapped
     *     and larger than 2 GiB on a JDK before 22
     */
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null && refused.containsKey(name)) {
            throw new UnsupportedOperationException(file + ": " + refused.get(name));
        }
        if (tensor == null) {
            throw new IllegalArgumentException("no tensor of that name: name=" + name + " file=" + file + " tensors="
                + names.size());
        }
        return tensor;
    }

    /**
     * The tensors by their names, but for those that {@link #tensor} refuses. {@link StateDict#under} gives those of
     * one module.
     *
     * @return unmodifiable, in the order of {@link #names}
     */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /**
     * What the writer of the file noted ({@code __metadata__}).
     *
     * @return unmodifiable, empty if there is none; where several files have a key, that of the first by name counts
     */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /**
     * Frees or unmaps all tensors. Does nothing the second time.
     *
     * @throws IllegalStateException if a call that uses one of them is under way; nothing is freed then
     */
    @Override
    public void close() {
        scope.close();
    }

    private static Safetensors load(Path file, Loading loading) throws IOException {
        Safetensors result = new Safetensors(file);
        try {
            if (ShardIndex.isOne(file)) {
                result.addAll(ShardIndex.read(file), loading);
            } else {
                try (Shard shard = Shard.open(file)) {
                    result.add(shard, loading);
                }
            }
            return result;
        } catch (IOException | RuntimeException | Error e) {
            result.close();
            throw e;
        }
    }

    /** All headers are checked before the first tensor is loaded. */
    private void addAll(ShardIndex index, Loading loading) throws IOException {
        List<Shard> shards = new ArrayList<>();
        try {
            Map<String, Header> headers = new LinkedHashMap<>();
            for (Map.Entry<String, Path> named : index.shards().entrySet()) {
                try {
                    shards.add(Shard.open(named.getValue()));
                } catch (NoSuchFileException e) {
                    throw index.defect("weight_map must name files that are there: tensor="
                        + index.tensorIn(named.getKey()) + " missing file=" + named.getKey());
                }
                headers.put(named.getKey(), shards.get(shards.size() - 1).header);
            }
            index.check(headers);
            for (Shard shard : shards) {
                add(shard, loading);
            }
        } finally {
            for (Shard shard : shards) {
                shard.close();
            }
        }
    }

    private void add(Shard shard, Loading loading) throws IOException {
        loading.load(shard, scope, tensors, refused);
        shard.header.entries.forEach(entry -> names.add(entry.name()));
        shard.header.metadata.forEach(metadata::putIfAbsent);
    }
}
