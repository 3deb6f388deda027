// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/** The platform this JVM runs on, named as JavaCPP names it: linux-x86_64, macosx-arm64. */
final class Platform {
    private static final Set<String> SUPPORTED = Set.of("linux-x86_64", "linux-arm64", "macosx-x86_64", "macosx-arm64",
        "windows-x86_64");

    private Platform() {}

    /** UnsatisfiedLinkError that names the platform if attn4j has no library for it. */
    static String current() {
        String name = name(System.getProperty("os.name"), System.getProperty("os.arch"));
        if (!SUPPORTED.contains(name)) {
            throw new UnsatisfiedLinkError("attn4j has no native library for this platform: platform=" + name
                + " supported=" + new java.util.TreeSet<>(SUPPORTED));
        }
        if (name.startsWith("linux-") && usesMusl()) {
            throw new UnsatisfiedLinkError("attn4j's native libraries need glibc, and this JVM runs on musl (Alpine): "
                + "platform=" + name + "-musl, use an image based on glibc, such as Debian");
        }
        return name;
    }

    static String name(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT);
        String arch = osArch.toLowerCase(Locale.ROOT);
        String family = os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : os;
        switch (arch) {
            case "amd64":
            case "x86_64":
            case "x86-64":
                return family + "-x86_64";
            case "aarch64":
            case "arm64":
                return family + "-arm64";
            default:
                return family + "-" + arch;
        }
    }

    /** How System.loadLibrary would call the file. */
    static String fileName(String platform, String library) {
        if (platform.startsWith("windows")) {
            return library + ".dll";
        }
        return "lib" + library + (platform.startsWith("macosx") ? ".dylib" : ".so");
    }

    /** Whether the C library of this very process is musl; its loader is then among the mapped files. */
    private static boolean usesMusl() {
        try {
            return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1).contains("/ld-musl-");
        } catch (IOException e) {
            return false;
        }
    }
}
