// SPDX-License-Identifier: Apache-2.0

/** The layers around attention; each run is one native call. */
package io.github.attn4j.nn;
