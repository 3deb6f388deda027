// SPDX-License-Identifier: Apache-2.0
// The generated bindings call Loader.load(); standing in their package, this class is the one they find and not
// JavaCPP's, whose cache is not safe between JVMs.
package io.github.attn4j.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Finds, unpacks and loads the native library. */
final class Loader {
    /** The property that names a library file to load instead of the packaged one. */
    static final String PROPERTY = "attn4j.library";

    private Loader() {}

    /** UnsatisfiedLinkError that tells what was tried, and the fix. */
    static void load() {
        loadLibrary();
        Threads.configure();
    }

    private static void loadLibrary() {
        String explicit = System.getProperty(PROPERTY);
        if (explicit != null) {
            link(Path.of(explicit).toAbsolutePath());
            return;
        }
        String platform = Platform.current();
        String file = Platform.fileName(platform, "jniattn4j");
        Resource library = find(platform, "io/github/attn4j/native/" + platform + "/" + file);
        unpack(library.key(), List.of(library), paths -> link(paths.get(0)));
    }

    /** Loads libraries from the files they were unpacked to; an UnsatisfiedLinkError sends us to the next folder. */
    interface Linker {
        void link(List<Path> files);
    }

    /** Unpacks to the first folder from which loading works. */
    static void unpack(String name, List<Resource> resources, Linker linker) {
        StringBuilder attempts = new StringBuilder();
        for (Path parent : CacheFolders.candidates()) {
            try {
                Path folder = CacheFolders.folder(parent, name);
                List<Path> files = new ArrayList<>();
                for (Resource resource : resources) {
                    files.add(CacheFolders.file(folder, resource));
                }
                linker.link(files);
                return;
            } catch (AlreadyLoaded e) {
                throw e;
            } catch (IOException | UnsatisfiedLinkError e) {
                attempts.append("\n  ").append(parent).append(": ").append(e.getMessage());
            }
        }
        throw new UnsatisfiedLinkError("attn4j could not load " + resources.get(0).name() + ". Set -D"
            + CacheFolders.PROPERTY + "=<a folder that is writable and not mounted noexec>. Tried:" + attempts);
    }

    /** Loads one library file. */
    static void link(Path file) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            if (String.valueOf(e.getMessage()).contains("already loaded in another classloader")) {
                throw new AlreadyLoaded("attn4j is already loaded by another class loader of this JVM, and a native "
                    + "library can be loaded once: file=" + file + ". Put attn4j into a class loader that both share, "
                    + "or give this one its own copy with -D" + CacheFolders.PROPERTY);
            }
            throw e;
        }
    }

    private static Resource find(String platform, String name) {
        try {
            Resource library = Resource.find(name);
            if (library == null) {
                throw new UnsatisfiedLinkError("attn4j's native library is not on the class path: resource=" + name
                    + ", add the runtime dependency io.github.attn4j:attn4j:" + Version.VERSION + ":" + platform
                    + " (group:artifact:version:classifier); on the module path also --add-modules"
                    + " io.github.attn4j.natives. Shading or relocating the package io.github.attn4j "
                    + "breaks it too, as the names of native methods contain it");
            }
            return library;
        } catch (IOException e) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError("reading " + name + " failed: " + e);
            error.initCause(e);
            throw error;
        }
    }

    /** Another folder would not help. */
    private static final class AlreadyLoaded extends UnsatisfiedLinkError {
        private static final long serialVersionUID = 1;

        AlreadyLoaded(String message) {
            super(message);
        }
    }
}
