// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappingTest {
    /** The classes of the multi-release jar stand first on the class path, as the test sees folders and no jar. */
    @Test
    void oneTensorOfMoreThanTwoGigabytes(@TempDir Path folder) throws Exception {
        assumeTrue(Runtime.version().feature() >= 22, "files beyond 2 GiB need JDK 22");
        Path versioned = Path.of("target", "classes", "META-INF", "versions", "22");
        Jvm.startMain(MappingChild.class, versioned + File.pathSeparator + System.getProperty("java.class.path"),
            "-Dfile=" + folder.resolve("large.safetensors")).expect(0, "last=1.0", "TensorScope is closed");
    }
}
