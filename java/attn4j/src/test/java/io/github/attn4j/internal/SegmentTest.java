// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import static io.github.attn4j.Expect.thrown;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import java.io.File;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentTest {
    @Test
    void beforeJdk22ItSaysWhatIsNeeded() {
        assumeTrue(Runtime.version().feature() < 22, "JDK 22 has memory segments");
        thrown(UnsupportedOperationException.class, "JDK 22", () -> Tensor.wrapSegment(new Object(), DType.FLOAT32, 1));
    }

    /** The classes of the multi-release jar stand first on the class path, as the test sees folders and no jar. */
    @Test
    void wrapsMoreThanTwoGigabytes(@TempDir Path folder) throws Exception {
        assumeTrue(Runtime.version().feature() >= 22, "memory segments need JDK 22");
        Path versioned = Path.of("target", "classes", "META-INF", "versions", "22");
        Jvm.startMain(SegmentChild.class, versioned + File.pathSeparator + System.getProperty("java.class.path"),
            "-Dfile=" + folder.resolve("sparse")).expect(0, "last=7.0", "arena of the wrapped MemorySegment is closed",
                "must be native memory", "byteSize=16 needed=12", "class=java.lang.String");
    }
}
