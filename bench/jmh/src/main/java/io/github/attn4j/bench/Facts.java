// SPDX-License-Identifier: Apache-2.0
// What a fork finds out beside the times that JMH takes: it goes to the file that the system property names, as the
// fork has no other way to its parent; without one (JMH started by hand) to the standard output.
package io.github.attn4j.bench;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Properties;

/** Facts about a contender in this process. */
public final class Facts {
    /** The system property with the path of the file. */
    public static final String PROPERTY = "attn4j.bench.facts";

    private Facts() {}

    /**
     * Runs a contender for the first times, compares what it gives and where it runs, and leaves the facts.
     *
     * @param name of the contender
     * @param contender to run
     * @param error of its output, absolute
     * @throws Exception whatever the library throws
     */
    public static void check(String name, Contender contender, Error error) throws Exception {
        ResidentMemory memory = ResidentMemory.now();
        contender.run();
        contender.run();
        long grown = memory.peakGrowth();
        double difference = error.of(contender.output());
        Expected.require(name, difference, contender.tolerance());
        Processors.require();
        Properties facts = new Properties();
        facts.setProperty("about", contender.describe());
        facts.setProperty("error", Double.toString(difference));
        facts.setProperty("memoryBytes", Long.toString(grown));
        write(facts);
    }

    /**
     * Leaves one more.
     *
     * @param name of the fact
     * @param value of it
     * @throws IOException if the file cannot be written
     */
    public static void add(String name, double value) throws IOException {
        Properties facts = new Properties();
        facts.setProperty(name, Double.toString(value));
        write(facts);
    }

    private static void write(Properties facts) throws IOException {
        String file = System.getProperty(PROPERTY);
        if (file == null) {
            System.out.println(facts);
            return;
        }
        try (Writer writer = Files.newBufferedWriter(Path.of(file), StandardOpenOption.CREATE,
                StandardOpenOption.APPEND)) {
            facts.store(writer, null);
        }
    }

    /** How far an output is from what it should be. */
    @FunctionalInterface
    public interface Error {
        /** {@return the largest absolute difference} */
        double of(float[] output);
    }
}
