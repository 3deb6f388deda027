// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The versions this build was made with. */
public final class Version {
    /** Of attn4j. */
    public static final String VERSION;
    /** Of the OpenBLAS preset. */
    public static final String OPENBLAS;

    static {
        Properties properties = new Properties();
        try (InputStream stream = Version.class.getResourceAsStream("version.properties")) {
            if (stream != null) {
                properties.load(stream);
            }
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
        VERSION = properties.getProperty("version", "VERSION");
        OPENBLAS = properties.getProperty("openblas", "VERSION");
    }

    private Version() {}
}
