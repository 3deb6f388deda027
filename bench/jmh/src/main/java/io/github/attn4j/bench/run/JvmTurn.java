// SPDX-License-Identifier: Apache-2.0
// One turn of a contender on the JVM: a fork of JMH, so that contenders do not share a process and their libraries do
// not meet. The heap's pages are touched at the start, so that memory that grows later is native; stacks are large, as
// ONNX Runtime recurses deeply while it opens a model.
package io.github.attn4j.bench.run;

import io.github.attn4j.bench.Facts;
import io.github.attn4j.bench.overhead.CallsFromC;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

final class JvmTurn {
    private static final String ALLOCATED = "gc.alloc.rate.norm";
    private static final int NATIVE_ACCESS_SINCE = 22;

    private JvmTurn() {}

    static void take(Cell cell, Class<?> benchmark, Selection selection, Path program, Path log) throws IOException {
        // Beside the log: what an interrupted turn leaves is in the way of nobody, and of no later one.
        Path facts = log.toAbsolutePath().resolveSibling("facts.properties");
        Files.deleteIfExists(facts);
        try {
            RunResult result = new Runner(options(cell, benchmark, selection, facts, program, log)).run().iterator()
                .next();
            double allocated = result.getSecondaryResults().get(ALLOCATED).getScore();
            // The least of the rounds: what the JVM and JMH allocate meanwhile comes and goes, what a call does stays.
            cell.allocated = cell.nanoseconds.isEmpty() ? allocated : Math.min(cell.allocated, allocated);
            Properties found = new Properties();
            try (Reader reader = Files.newBufferedReader(facts)) {
                found.load(reader);
            }
            cell.about = found.getProperty("about");
            cell.add(result.getPrimaryResult().getScore(), Double.parseDouble(found.getProperty("error")),
                    Long.parseLong(found.getProperty("memoryBytes")));
            if (found.containsKey("boundaryNanoseconds")) {
                cell.boundary.add(Double.parseDouble(found.getProperty("boundaryNanoseconds")));
                cell.boundaryBytes = Math.max(cell.boundaryBytes,
                        Double.parseDouble(found.getProperty("boundaryBytes")));
            }
        } catch (RunnerException e) {
            cell.failure = "the fork failed: " + reason(e, log);
        } finally {
            Files.deleteIfExists(facts);
        }
    }

    private static String reason(RunnerException failure, Path log) throws IOException {
        return Files.readAllLines(log).stream()
                .filter(line -> line.contains("Exception: ") || line.contains("SIG"))
                .findFirst()
                .map(String::strip)
                .orElse(failure.getMessage());
    }

    private static Options options(Cell cell, Class<?> benchmark, Selection selection, Path facts, Path program,
            Path log) {
        TimeValue time = TimeValue.milliseconds(selection.milliseconds());
        return new OptionsBuilder()
                .include("^" + benchmark.getName() + "\\.run$")
                .param("shape", cell.shape)
                .param("contender", cell.contender)
                .param("threads", Integer.toString(cell.threads))
                .forks(1)
                .warmupIterations(selection.warmups())
                .warmupTime(time)
                .measurementIterations(selection.iterations())
                .measurementTime(time)
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.NORMAL)
                .output(log.toString())
                .jvmArgs(arguments(facts, program).toArray(new String[0]))
                .build();
    }

    private static List<String> arguments(Path facts, Path program) {
        List<String> arguments = new ArrayList<>(List.of("--add-modules", "jdk.incubator.vector", "-Xms640m",
                "-Xmx640m", "-Xss8m", "-XX:+AlwaysPreTouch", "-D" + Facts.PROPERTY + "=" + facts));
        Path calls = program.resolveSibling(System.mapLibraryName("attn4j_calls")).toAbsolutePath();
        if (Files.exists(calls)) {
            arguments.add("-D" + CallsFromC.PROPERTY + "=" + calls);
        }
        if (Runtime.version().feature() >= NATIVE_ACCESS_SINCE) {
            arguments.add("--enable-native-access=ALL-UNNAMED");
        }
        return arguments;
    }
}
