// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import io.github.attn4j.internal.JsonReader;
import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/** An index file, {"metadata": {...}, "weight_map": {"tensor": "file in the same folder", ...}}. */
final class ShardIndex {
    /** How the names of index files end. */
    static final String SUFFIX = ".index.json";

    private final Path path;
    /** From tensor to file. */
    private final Map<String, String> files;

    private ShardIndex(Path path, Map<String, String> files) {
        this.path = path;
        this.files = files;
    }

    static boolean isOne(Path path) {
        return path.toString().endsWith(SUFFIX);
    }

    static ShardIndex read(Path path) throws IOException {
        CharBuffer text;
        try (FileChannel channel = Shard.channel(path)) {
            if (channel.size() > Header.MAX_BYTES) {
                throw new WeightsFormatException(path.toString(), "an index must have at most " + Header.MAX_BYTES
                    + " bytes: bytes=" + channel.size());
            }
            text = Header.text(Header.bytes(channel, 0, (int) channel.size(), path.toString()), path.toString());
        }
        Map<String, String> files = new LinkedHashMap<>();
        boolean[] mapped = new boolean[1];
        try {
            JsonReader.read(text, json -> json.object(key -> {
                if (key.equals("weight_map")) {
                    mapped[0] = true;
                    json.object(tensor -> files.put(tensor, json.string()));
                } else {
                    json.skip();
                }
            }));
        } catch (JsonReader.Malformed e) {
            throw new WeightsFormatException(path.toString(), e.getMessage(), e);
        }
        ShardIndex index = new ShardIndex(path, files);
        if (!mapped[0]) {
            throw index.defect("an index must have a weight_map: bytes=" + text.length());
        }
        index.checkNames();
        return index;
    }

    /** The shards' paths by their names, sorted. */
    Map<String, Path> shards() {
        Map<String, Path> shards = new LinkedHashMap<>();
        new TreeSet<>(files.values()).forEach(file -> shards.put(file, path.resolveSibling(file)));
        return shards;
    }

    /** A tensor that the index places in a file. */
    String tensorIn(String file) {
        return files.entrySet().stream().filter(entry -> entry.getValue().equals(file)).findFirst().orElseThrow()
            .getKey();
    }

    /** Every tensor of every shard is where the index places it, and none is missing. */
    void check(Map<String, Header> headers) throws WeightsFormatException {
        Map<String, String> missing = new LinkedHashMap<>(files);
        for (Map.Entry<String, Header> shard : headers.entrySet()) {
            for (Entry entry : shard.getValue().entries) {
                String placed = files.get(entry.name());
                if (!shard.getKey().equals(placed)) {
                    throw defect("weight_map must agree with the files: tensor=" + entry.name() + " in file="
                        + shard.getKey() + " weight_map=" + placed);
                }
                missing.remove(entry.name());
            }
        }
        for (Map.Entry<String, String> entry : missing.entrySet()) {
            throw defect("weight_map must name tensors that are there: tensor=" + entry.getKey() + " file without it="
                + entry.getValue());
        }
    }

    WeightsFormatException defect(String rule) {
        return new WeightsFormatException(path.toString(), rule);
    }

    /** Nothing outside of the index's own folder is opened. */
    private void checkNames() throws WeightsFormatException {
        for (Map.Entry<String, String> entry : files.entrySet()) {
            String file = entry.getValue();
            if (file.isEmpty() || file.equals(".") || file.equals("..")
                || file.chars().anyMatch(c -> c < ' ' || "/\\:".indexOf(c) >= 0)) {
                throw defect("weight_map must name files in the index's own folder: tensor=" + entry.getKey() + " file="
                    + file);
            }
        }
    }
}
