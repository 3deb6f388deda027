// SPDX-License-Identifier: Apache-2.0
// Safe with any number of JVMs at once: a file is written under a temporary name in its own folder, then renamed over
// the final one. What is found there is checked against the size and checksum of the resource before it is used.
package io.github.attn4j.internal;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** Where native libraries are unpacked: a folder of this user, below it one for each content. */
final class CacheFolders {
    /** The property that names the one folder to use. */
    static final String PROPERTY = "attn4j.cache";

    private CacheFolders() {}

    /** The folders to try, best first. */
    static List<Path> candidates() {
        String chosen = System.getProperty(PROPERTY);
        if (chosen != null) {
            return List.of(Path.of(chosen).toAbsolutePath());
        }
        String user = System.getProperty("user.name", "user").replaceAll("[^A-Za-z0-9._-]", "_");
        return List.of(
            Path.of(System.getProperty("java.io.tmpdir"), "attn4j-" + user).toAbsolutePath(),
            Path.of(System.getProperty("user.home"), ".cache", "attn4j").toAbsolutePath(),
            Path.of("").toAbsolutePath().resolve(".attn4j"));
    }

    /** Creates `parent`/`name`; unless the user chose the parent, it must be his and only he may enter. */
    static Path folder(Path parent, String name) throws IOException {
        Files.createDirectories(parent);
        PosixFileAttributeView posix =
            Files.getFileAttributeView(parent, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (posix != null && System.getProperty(PROPERTY) == null) {
            String owner = posix.getOwner().getName();
            String user = System.getProperty("user.name");
            if (!owner.equals(user)) {
                throw new IOException("the folder belongs to another user: owner=" + owner + " user=" + user);
            }
            posix.setPermissions(PosixFilePermissions.fromString("rwx------"));
        }
        return Files.createDirectories(parent.resolve(name));
    }

    /** The resource as a file in the folder; what is there already is kept if its content is right. */
    static Path file(Path folder, Resource resource) throws IOException {
        Path file = folder.resolve(resource.name());
        if (resource.isIn(file)) {
            return file;
        }
        Path temporary = Files.createTempFile(folder, resource.name() + ".", ".tmp");
        try {
            Files.write(temporary, resource.read());
            try {
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            // Windows does not replace a library that another JVM has loaded meanwhile; then that one will do.
            if (!resource.isIn(file)) {
                throw e;
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
        return file;
    }
}
