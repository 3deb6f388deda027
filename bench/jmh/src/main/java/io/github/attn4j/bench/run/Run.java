// SPDX-License-Identifier: Apache-2.0
// Contenders take turns, round after round, so that a change of the machine's speed hits all alike. The caller pins
// this process, and with it all forks, to as many processors as there are threads.
package io.github.attn4j.bench.run;

import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures a set and keeps the numbers as JSON. */
@Command(name = "run", mixinStandardHelpOptions = true, description = "Measures a set of scenarios.")
public final class Run implements Callable<Integer> {
    private static final double MILLIS = 1e3;

    @Option(names = "--set", required = true, description = "quick or full")
    private String set;

    @Option(names = "--threads", required = true, description = "of every contender")
    private int threads;

    @Option(names = "--scenario", description = "only these", split = ",")
    private List<String> scenarios = new ArrayList<>();

    @Option(names = "--native", required = true, description = "the program attn4j_bench")
    private Path program;

    @Option(names = "--commit", required = true, description = "what is measured")
    private String commit;

    @Option(names = "--add", description = "keeps what the file has, and adds to it")
    private boolean add;

    @Option(names = "--log", required = true, description = "where JMH's own output goes")
    private Path log;

    @Option(names = "--results", required = true, description = "the folder with a folder a machine")
    private Path folder;

    /** For picocli. */
    public Run() {}

    /** Runs and exits. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Run()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        Selection selection = Selection.named(set).only(scenarios);
        Machine machine = Machine.here();
        String name = scenarios.isEmpty() ? set : set + "-" + String.join("-", scenarios);
        Path file = folder.resolve(machine.slug()).resolve(name + ".json");
        Results results = add ? Results.read(file) : new Results();
        results.machine = machine;
        results.set = name;
        results.commit = commit;
        for (int round = 1; round <= selection.rounds(); round++) {
            for (Case where : selection.cases()) {
                for (String contender : where.contenders()) {
                    turn(results.cell(where, contender, threads), where, selection, round);
                }
            }
            results.date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
            results.write(file);
        }
        System.out.println(file);
        return 0;
    }

    private void turn(Cell cell, Case where, Selection selection, int round) throws Exception {
        if (cell.failure != null) {
            return;
        }
        if (cell.withoutJvm()) {
            double seconds = selection.iterations() * selection.milliseconds() / MILLIS;
            NativeTurn.take(cell, program, seconds);
        } else {
            JvmTurn.take(cell, where.benchmark(), selection, program, log);
        }
        System.out.printf("round %d/%d  %-9s %-26s %-26s threads=%d  %s%n", round, selection.rounds(), cell.scenario,
                cell.shape, cell.contender, cell.threads, cell.failure == null ? microseconds(cell) : cell.failure);
    }

    private static String microseconds(Cell cell) {
        return String.format("%.3f us", cell.nanoseconds.get(cell.nanoseconds.size() - 1) / MILLIS);
    }
}
