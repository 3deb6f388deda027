// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All of a run, as the JSON file keeps it. */
public final class Results {
    /** Where. */
    public Machine machine;
    /** Which set. */
    public String set;
    /** When it ended, UTC. */
    public String date;
    /** Of this project's history, with + where files had been changed. */
    public String commit;
    /** What was measured. */
    public List<Cell> cells = new ArrayList<>();

    /** For JSON. */
    public Results() {}

    /** {@return what a file holds} */
    public static Results read(Path file) throws IOException {
        return new ObjectMapper().readValue(file.toFile(), Results.class);
    }

    /** Writes the file and the folders above it. */
    public void write(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), this);
    }

    Cell cell(Case where, String contender, int threads) {
        Optional<Cell> known = cells.stream().filter(cell -> cell.is(where, contender, threads)).findFirst();
        if (known.isPresent()) {
            return known.get();
        }
        Cell cell = new Cell(where, contender, threads);
        cells.add(cell);
        return cell;
    }
}
