// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Writes what the numbers of a set say, as Markdown and pictures, for each machine that has them. */
@Command(name = "report", mixinStandardHelpOptions = true, description = "Writes tables and pictures of a set.")
public final class Report implements Callable<Integer> {
    @Option(names = "--results", required = true, description = "the folder with a folder a machine")
    private Path folder;

    @Option(names = "--set", required = true, description = "quick or full")
    private String set;

    @Option(names = "--readme", description = "the file whose table between the markers is replaced")
    private Path readme;

    /** For picocli. */
    public Report() {}

    /** Runs and exits. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Report()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        Path newest = null;
        Results newestResults = null;
        for (Path machine : machines()) {
            Results results = Results.read(machine.resolve(set + ".json"));
            Analysis analysis = new Analysis(results);
            List<String> pictures = new Pictures(analysis, machine, set).write();
            Files.writeString(machine.resolve(set + ".md"), new Markdown(analysis, pictures).report());
            System.out.println(machine.resolve(set + ".md"));
            if (newest == null || results.date.compareTo(newestResults.date) > 0) {
                newest = machine;
                newestResults = results;
            }
        }
        if (newest == null) {
            throw new IOException("no machine has numbers of this set: results=" + folder + " set=" + set);
        }
        if (readme != null) {
            Readme.update(readme, new Analysis(newestResults), newest, set);
        }
        return 0;
    }

    private List<Path> machines() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.exists(entry.resolve(set + ".json"))).sorted().toList();
        }
    }
}
