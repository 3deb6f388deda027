// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.io;

import java.io.IOException;

/** A file of weights that is damaged, or is none. The message names the file, the entry and the rule. */
public final class WeightsFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * A defect of a file.
     *
     * @param file the file
     * @param rule what the file breaks, with the values that break it
     */
    public WeightsFormatException(String file, String rule) {
        super(file + ": " + rule);
    }

    /**
     * A defect of a file that another exception found.
     *
     * @param file the file
     * @param rule what the file breaks, with the values that break it
     * @param cause what found it
     */
    public WeightsFormatException(String file, String rule, Throwable cause) {
        super(file + ": " + rule, cause);
    }
}
