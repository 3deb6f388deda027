// SPDX-License-Identifier: Apache-2.0
// Contenders take turns, round after round, so that a change of the machine's speed hits all alike; of any two each
// comes first in every other round. The caller pins this process, and with it all forks, to as many processors as there
// are threads.
package io.github.attn4j.bench.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures a set and keeps the numbers as JSON. */
@Command(name = "run", mixinStandardHelpOptions = true, description = "Measures a set of scenarios.")
public final class Run implements Callable<Integer> {
    private static final double MILLIS = 1e3;

    @Spec
    private CommandSpec spec;

    @Option(names = "--set", required = true, description = "quick or full")
    private String set;

    @Option(names = "--threads", required = true, description = "of every contender")
    private int threads;

    @Option(names = "--scenario", description = "only these", split = ",")
    private List<String> scenarios = new ArrayList<>();

    @Option(names = "--scaling", description = "only what shows how these threads scale")
    private boolean scaling;

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
        System.exit(execute(arguments));
    }

    /** {@return the exit code: 0, 1 after a failure, or 2 where the arguments are wrong} */
    static int execute(String... arguments) {
        return new CommandLine(new Run())
                .setParameterExceptionHandler((failure, all) -> said(failure.getMessage(), CommandLine.ExitCode.USAGE))
                .setExecutionExceptionHandler((failure, line, all) ->
                        said(failure.toString(), CommandLine.ExitCode.SOFTWARE))
                .execute(arguments);
    }

    private static int said(String failure, int code) {
        System.err.println("run: " + failure);
        return code;
    }

    @Override
    public Integer call() throws Exception {
        Selection selection = selection();
        Machine machine = Machine.here();
        String name = scenarios.isEmpty() ? set : set + "-" + String.join("-", scenarios);
        Path file = folder.resolve(machine.slug()).resolve(name + ".json");
        Results results = add ? Results.read(file) : new Results();
        results.machine = machine;
        results.set = name;
        results.commit = commit;
        for (int round = 1; round <= selection.rounds(); round++) {
            for (Case where : selection.cases()) {
                turns(cells(results, where), where, selection, round);
            }
            save(results, file);
        }
        for (Case where : selection.cases()) {
            List<Cell> close = CloseCells.of(cells(results, where));
            for (int round = selection.rounds() + 1; round <= selection.closeRounds(); round++) {
                turns(close, where, selection, round);
            }
        }
        save(results, file);
        System.out.println(file);
        return 0;
    }

    private Selection selection() {
        try {
            Selection selection = Selection.named(set).only(scenarios);
            return scaling ? selection.scaling() : selection;
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private List<Cell> cells(Results results, Case where) {
        return where.contenders().stream().map(contender -> results.cell(where, contender, threads)).toList();
    }

    private static void save(Results results, Path file) throws IOException {
        results.date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        results.write(file);
    }

    private void turns(List<Cell> cells, Case where, Selection selection, int round) throws Exception {
        List<Cell> order = new ArrayList<>(cells);
        if (round % 2 == 0) {
            Collections.reverse(order);
        }
        for (Cell cell : order) {
            turn(cell, where, selection, round);
        }
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
        int rounds = round > selection.rounds() ? selection.closeRounds() : selection.rounds();
        System.out.printf("round %d/%d  %-9s %-26s %-26s threads=%d  %s%n", round, rounds, cell.scenario, cell.shape,
                cell.contender, cell.threads, cell.failure == null ? microseconds(cell) : cell.failure);
    }

    private static String microseconds(Cell cell) {
        return String.format("%.3f us", cell.nanoseconds.get(cell.nanoseconds.size() - 1) / MILLIS);
    }
}
