// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.onnx;

import java.io.IOException;

/** A model file that is damaged, or is not the kind of model asked for. The message names the file and the rule. */
public final class OnnxFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * A defect of a file.
     *
     * @param file the file, as its reader named it
     * @param rule what the file breaks, with the values that break it
     */
    public OnnxFormatException(String file, String rule) {
        super(file + ": " + rule);
    }

    /**
     * A defect of a file that another exception found.
     *
     * @param file the file, as its reader named it
     * @param rule what the file breaks, with the values that break it
     * @param cause what found it
     */
    public OnnxFormatException(String file, String rule, Throwable cause) {
        super(file + ": " + rule, cause);
    }
}
