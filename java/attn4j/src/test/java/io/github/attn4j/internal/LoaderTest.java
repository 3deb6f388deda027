// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading, each time in a JVM of its own that runs {@link Child}. */
class LoaderTest {
    @TempDir
    private Path folder;

    @Test
    void manyJvmsUnpackAtOnce() throws Exception {
        List<Jvm> jvms = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            jvms.add(Jvm.start("-Dattn4j.cache=" + folder));
        }
        for (Jvm jvm : jvms) {
            jvm.expect(0, "linear=3.0");
        }
        try (Stream<Path> files = Files.walk(folder)) {
            assertTrue(files.noneMatch(file -> file.toString().endsWith(".tmp")));
        }
    }

    @Test
    void damagedFilesAreReplaced() throws Exception {
        Jvm.start("-Dattn4j.cache=" + folder).expect(0, "linear=3.0");
        List<Path> libraries;
        try (Stream<Path> files = Files.walk(folder)) {
            libraries = files.filter(Files::isRegularFile).toList();
        }
        assertTrue(libraries.size() >= 2, libraries::toString);
        for (Path library : libraries) {
            byte[] content = Files.readAllBytes(library);
            content[content.length / 2] ^= 1;
            Files.write(library, content);
        }
        Jvm.start("-Dattn4j.cache=" + folder).expect(0, "linear=3.0");
    }

    @Test
    void nothingOfJavaCppRuns() throws Exception {
        Jvm.start("-Dattn4j.cache=" + folder, "-verbose:class").expectNot("org.bytedeco.javacpp");
    }

    @Test
    void aFolderThatCannotBeUsedIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        Jvm.start("-Dattn4j.cache=" + file).expect(1, "-Dattn4j.cache=<a folder", file.toString());
    }

    @Test
    void theNextFolderIsTried() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        Jvm.start("-Djava.io.tmpdir=" + file, "-Duser.home=" + folder).expect(0, "linear=3.0");
        assertTrue(Files.isDirectory(folder.resolve(".cache/attn4j")));
    }

    @Test
    void aFolderMountedNoexecIsSkipped() throws Exception {
        Path noexec = Path.of("/dev/shm");
        assumeTrue(Files.isWritable(noexec) && Files.readString(Path.of("/proc/mounts")).lines()
            .anyMatch(line -> line.contains(" /dev/shm ") && line.contains("noexec")), "needs a folder mounted noexec");
        Path unusable = Files.createTempDirectory(noexec, "attn4j");
        try {
            Jvm.start("-Djava.io.tmpdir=" + unusable, "-Duser.home=" + folder).expect(0, "linear=3.0");
            Jvm.start("-Dattn4j.cache=" + unusable).expect(1, "noexec", unusable.toString());
        } finally {
            try (Stream<Path> files = Files.walk(unusable)) {
                files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
        }
    }

    @Test
    void anExplicitLibraryIsLoaded() throws Exception {
        String platform = Platform.current();
        Resource packaged = Resource.find("io/github/attn4j/native/" + platform + "/"
            + Platform.fileName(platform, "jniattn4j"));
        Path library = Files.write(folder.resolve("own.so"), packaged.read());
        Jvm.start("-Dattn4j.library=" + library).expect(0, "linear=3.0");
        Jvm.start("-Dattn4j.library=" + folder.resolve("none.so")).expect(1, "none.so");
    }

    @Test
    void missingNativesNameTheArtifact() throws Exception {
        Path classes = folder.resolve("classes");
        Path source = Path.of("target", "classes");
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".class")).toList()) {
                Path target = classes.resolve(source.relativize(file));
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
        Path tests = Path.of("target", "test-classes");
        Jvm.startOn(classes + java.io.File.pathSeparator + tests)
            .expect(1, "io.github.attn4j:attn4j:", ":" + Platform.current());
    }

    @Test
    void missingOpenBlasNamesTheArtifact() throws Exception {
        String own = Path.of("target", "classes") + java.io.File.pathSeparator + Path.of("target", "test-classes");
        Jvm.startOn(own, "-Dattn4j.openblas=" + folder.resolve("none.so")).expect(1, "attention=1.0", "none.so");
        Jvm.startOn(own).expectAny("org.bytedeco:openblas:", "linear=3.0");
    }

    @Test
    void theModuleWorks() throws Exception {
        String modules = Path.of("target", "classes").toAbsolutePath().toString();
        String openBlas = Stream.of(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .filter(entry -> entry.contains("openblas")).findFirst().orElseThrow();
        List<String> options = new ArrayList<>(List.of("--module-path", modules, "--add-modules", "io.github.attn4j",
            "--patch-module", "io.github.attn4j=" + Path.of("target", "test-classes")));
        if (Runtime.version().feature() >= 22) {
            options.add("--enable-native-access=io.github.attn4j");
        }
        Jvm.startModule("io.github.attn4j/" + Child.class.getName(), openBlas, options).expect(0, "linear=3.0");
    }

    @Test
    void theWholeProcessIsQuietAndLeavesNoThreadBehind() throws Exception {
        Jvm jvm = Jvm.start("-Dattn4j.cache=" + folder);
        jvm.expect(0, "linear=3.0");
        assertEquals(3, jvm.output().lines().count(), jvm::output);
    }

    @Test
    void badThreadCountsAreNamed() throws Exception {
        Jvm.start("-Dattn4j.threads=two").expect(1, "attn4j.threads must be a whole number: two");
        Jvm.start("-Dattn4j.threads=2").expect(0, "threads=2");
    }

    @Test
    void platformsAreNamedAsJavaCppNamesThem() {
        assertEquals("linux-x86_64", Platform.name("Linux", "amd64"));
        assertEquals("macosx-arm64", Platform.name("Mac OS X", "aarch64"));
        assertEquals("windows-x86_64", Platform.name("Windows 11", "amd64"));
        assertEquals("linux-riscv64", Platform.name("Linux", "riscv64"));
        assertEquals("jniattn4j.dll", Platform.fileName("windows-x86_64", "jniattn4j"));
        assertFalse(Platform.current().isEmpty());
    }
}
