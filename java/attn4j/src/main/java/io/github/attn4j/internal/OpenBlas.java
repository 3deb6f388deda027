// SPDX-License-Identifier: Apache-2.0
// The library comes from the jar of the JavaCPP preset, read as a plain resource: touching a class of
// org.bytedeco.openblas would unpack 122 MB and load a second OpenBLAS.
package io.github.attn4j.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Opens OpenBLAS at the first linear layer that goes through it, and not before. */
public final class OpenBlas {
    /** The property that names an OpenBLAS library file to use instead of the packaged one. */
    static final String PROPERTY = "attn4j.openblas";

    /** File names in the preset's jar: OpenBLAS, then what it needs, in loading order; not every platform has all. */
    private static final String[] LINUX = {"libopenblas.so.0", "libgcc_s.so.1", "libquadmath.so.0",
        "libgfortran.so.5"};
    private static final String[] MACOS = {"libopenblas.0.dylib", "libgcc_s.1.1.dylib", "libquadmath.0.dylib",
        "libgfortran.5.dylib"};
    private static final String[] WINDOWS = {"libopenblas.dll"};

    private static volatile boolean opened;

    private OpenBlas() {}

    /**
     * Does nothing the second time. UnsupportedOperationException if there is no OpenBLAS; our own kernels still
     * work.
     */
    public static void open() {
        if (!opened) {
            openOnce();
        }
    }

    /** Its description of itself with the core it chose. */
    public static String config() {
        open();
        return Native.attn4j_openblas_config();
    }

    private static synchronized void openOnce() {
        if (opened) {
            return;
        }
        String explicit = System.getProperty(PROPERTY);
        if (explicit != null) {
            Status.check(Native.attn4j_openblas_open(explicit));
        } else {
            openPackaged(Platform.current());
        }
        opened = true;
    }

    private static void openPackaged(String platform) {
        List<Resource> resources;
        try {
            resources = resources(platform);
        } catch (IOException e) {
            throw new UnsupportedOperationException("reading OpenBLAS from the class path failed: " + e, e);
        }
        if (resources.isEmpty()) {
            if (Native.attn4j_openblas_open(null) != Native.ATTN4J_OK) {
                throw new UnsupportedOperationException("OpenBLAS is neither on the class path nor on this system ("
                    + Native.attn4j_error_message() + "): add the runtime dependency org.bytedeco:openblas:"
                    + Version.OPENBLAS + ":" + platform + " (group:artifact:version:classifier), or set -D" + PROPERTY
                    + "=<the library file>");
            }
            return;
        }
        try {
            Loader.unpack("openblas-" + resources.get(0).key(), resources, OpenBlas::link);
        } catch (UnsatisfiedLinkError e) {
            throw new UnsupportedOperationException(e.getMessage(), e);
        }
    }

    private static List<Resource> resources(String platform) throws IOException {
        String[] names = platform.startsWith("linux") ? LINUX : platform.startsWith("macosx") ? MACOS : WINDOWS;
        List<Resource> resources = new ArrayList<>();
        for (String file : names) {
            Resource resource = Resource.find("org/bytedeco/openblas/" + platform + "/" + file);
            if (resource != null) {
                resources.add(resource);
            } else if (resources.isEmpty()) {
                return resources;
            }
        }
        return resources;
    }

    /** What OpenBLAS needs goes first: its own search path does not reach to what that needs in turn. */
    private static void link(List<Path> files) {
        for (Path needed : files.subList(1, files.size())) {
            Loader.link(needed);
        }
        if (Native.attn4j_openblas_open(files.get(0).toString()) != Native.ATTN4J_OK) {
            throw new UnsatisfiedLinkError(Native.attn4j_error_message());
        }
    }
}
