// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Properties;

/**
 * The superclass of the generated bindings. It exists so that the bindings name their presets only in an annotation,
 * which the JVM skips when JavaCPP is not on the class path.
 */
@NoException(true)
@Properties(inherit = NativePresets.class)
class NativeBase {
    NativeBase() {}
}
