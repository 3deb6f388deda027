// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of a library, from what Maven left in its jar. */
public final class Artifact {
    private Artifact() {}

    /** {@return the version of the artifact on the class path} */
    public static String version(String group, String name) {
        String path = "/META-INF/maven/" + group + "/" + name + "/pom.properties";
        try (InputStream in = Artifact.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("no such artifact on the class path: artifact=" + group + ":" + name);
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
