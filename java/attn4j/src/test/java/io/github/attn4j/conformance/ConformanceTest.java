// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.internal.Isa;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every case of a folder on every instruction set. A file is a case: tensors in.*, out.*, param.*, and metadata op,
 * attributes, rtol, atol; an element passes if |actual - expected| is at most atol + rtol * |expected|. The property
 * attn4j.conformance names another folder. Gradients are not looked at.
 */
class ConformanceTest {
    private static final String PROPERTY = "attn4j.conformance";

    private final List<String> failures = new ArrayList<>();
    private int passed;
    private int failed;
    private int pending;

    @ParameterizedTest
    @MethodSource("io.github.attn4j.Samples#isas")
    void everyCase(Isa isa) throws IOException {
        Path root = root();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(root)) {
            files = walk.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
        }
        assertTrue(!files.isEmpty(), () -> "no cases: folder=" + root);
        for (Path file : files) {
            try (TensorScope scope = TensorScope.open(); Case c = Case.read(root, file)) {
                run(scope, c, isa);
            } catch (IOException | RuntimeException e) {
                fail(root.relativize(file) + " cannot be read: " + e);
            }
        }
        failures.forEach(failure -> System.out.println(isa.label() + " FAILED " + failure));
        System.out.println(isa.label() + ": " + passed + " passed, " + failed + " failed, " + pending + " pending");
        assertEquals(List.of(), failures);
    }

    /** Were a case left out in silence, this would not pass. */
    @Test
    void theProjectsOwnCasesAreThere() throws IOException {
        try (Stream<Path> walk = Files.walk(own())) {
            assertEquals(85 + 39, walk.filter(file -> file.toString().endsWith(".safetensors")).count());
        }
    }

    private void run(TensorScope scope, Case c, Isa isa) {
        Operations operation = Operations.of(c.op);
        if (operation == null) {
            pending++;
            return;
        }
        String failure;
        try {
            failure = difference(c, operation.run(scope, c, isa));
        } catch (RuntimeException | AssertionError e) {
            failure = e.toString();
        }
        if (failure == null) {
            passed++;
        } else {
            fail(c.name + " " + failure);
        }
    }

    private void fail(String failure) {
        failed++;
        failures.add(failure);
    }

    /** Null, or the first element of each output that differs. */
    private static String difference(Case c, Map<String, Tensor> actual) {
        List<String> differences = new ArrayList<>();
        for (String name : c.outputs()) {
            Tensor expected = c.out(name);
            Tensor tensor = actual.get(name);
            if (tensor == null || !tensor.shape().equals(expected.shape())) {
                differences.add(name + " expected=" + expected + " actual=" + tensor);
                continue;
            }
            double[] wanted = numbers(expected);
            double[] found = numbers(tensor);
            for (int i = 0; i < wanted.length; i++) {
                if (!close(wanted[i], found[i], c)) {
                    differences.add(name + "[" + i + "] of " + tensor.shape() + " expected=" + wanted[i] + " actual="
                        + found[i]);
                    break;
                }
            }
        }
        return differences.isEmpty() ? null : String.join(", ", differences);
    }

    private static boolean close(double expected, double actual, Case c) {
        return Double.compare(expected, actual) == 0 || Math.abs(actual - expected) <= c.atol + c.rtol
            * Math.abs(expected);
    }

    private static double[] numbers(Tensor tensor) {
        if (tensor.dtype() == DType.INT64) {
            return Arrays.stream(tensor.toLongArray()).asDoubleStream().toArray();
        }
        float[] values = tensor.toFloatArray();
        double[] numbers = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            numbers[i] = values[i];
        }
        return numbers;
    }

    private static Path root() {
        String folder = System.getProperty(PROPERTY);
        return folder == null ? own() : Path.of(folder).toAbsolutePath();
    }

    /** The test's folder is the module's. */
    private static Path own() {
        return Path.of("src", "test", "resources", "conformance").toAbsolutePath();
    }
}
