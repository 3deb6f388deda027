// SPDX-License-Identifier: Apache-2.0

/**
 * Pictures of what attention looks at: {@link io.github.attn4j.transformers.maps.AttentionMaps} turns the weights of
 * any attention module into a web page of one file and into a PNG. It needs the JDK's module java.desktop.
 */
package io.github.attn4j.transformers.maps;
