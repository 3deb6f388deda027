// SPDX-License-Identifier: Apache-2.0
// Size and checksum come from the jar's directory, without unpacking: OpenBLAS has 37 MB, and inflating and hashing it
// at each start took 0.4 s, comparing the checksum of the file from last time takes 0.03 s.
package io.github.attn4j.internal;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;

/** A native library on the class or module path, known by its size and CRC-32. */
final class Resource {
    private final URL url;
    private final long size;
    private final long checksum;

    private Resource(URL url, long size, long checksum) {
        this.url = url;
        this.size = size;
        this.checksum = checksum;
    }

    /** The resource of that name in any jar or folder, null if it is not there. */
    static Resource find(String name) throws IOException {
        // Class.getResource would look into our own module only, and the natives come in jars of their own.
        URL url = Resource.class.getClassLoader().getResource(name);
        if (url == null) {
            return null;
        }
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        if (connection instanceof JarURLConnection) {
            try (JarFile jar = ((JarURLConnection) connection).getJarFile()) {
                JarEntry entry = jar.getJarEntry(name);
                if (entry.getSize() >= 0 && entry.getCrc() >= 0) {
                    return new Resource(url, entry.getSize(), entry.getCrc());
                }
            }
        }
        byte[] content = read(url);
        return new Resource(url, content.length, checksum(content));
    }

    /** The file name, without folders. */
    String name() {
        String path = url.getPath();
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** A name for the content. */
    String key() {
        return Long.toHexString(checksum) + "-" + Long.toHexString(size);
    }

    /** All of it. */
    byte[] read() throws IOException {
        return read(url);
    }

    /** Whether a file has this content, as far as size and checksum tell. */
    boolean isIn(Path file) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) == size
            && checksum(Files.readAllBytes(file)) == checksum;
    }

    private static long checksum(byte[] content) {
        CRC32 crc = new CRC32();
        crc.update(content);
        return crc.getValue();
    }

    private static byte[] read(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        try (InputStream stream = connection.getInputStream()) {
            return stream.readAllBytes();
        }
    }
}
