// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.maps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.TokenSpan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class AttentionMapsTest {
    private final TensorScope scope = TensorScope.open();
    private final AttentionMaps maps =
            AttentionMaps.of(MapsTestWeights.tokens(2), MapsTestWeights.tokens(3));

    @AfterEach
    void close() {
        scope.close();
    }

    private static void refused(String message, Executable call) {
        String actual = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(actual.contains(message), actual);
    }

    private static TokenSpan span(int from, int to) {
        return new TokenSpan(from, to);
    }

    @Test
    void bothSizesAreChecked() {
        refused("rank=2 shape=[2, 3]", () -> maps.layer("a", scope.zeros(DType.FLOAT32, 2, 3)));
        refused("a row for each token of the queries: weights.size(1)=3 tokens=2",
                () -> maps.layer("a", scope.zeros(DType.FLOAT32, 1, 3, 2)));
        refused("a column for each token of the keys: weights.size(2)=4 tokens=3",
                () -> maps.layer("a", scope.zeros(DType.FLOAT32, 1, 2, 4)));
        refused("heads=0 layer=a", () -> maps.layer("a", scope.zeros(DType.FLOAT32, 0, 2, 3)));
        refused("from=2 to=2", () -> span(2, 2));
        assertThrows(IllegalStateException.class, () -> maps.writeHtml(Path.of("never")));
    }

    @Test
    void whatIsNoWeightIsNamed() {
        for (float bad : new float[] {-1e-6f, Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] weights = MapsTestWeights.random(2, 2, 3);
            weights[10] = bad;
            refused("weight=" + bad + " at head=1 query=1 key=1 layer=a",
                    () -> maps.layer("a", scope.of(weights, 2, 2, 3)));
        }
    }

    @Test
    void tokensAndWeightsAreLimited() {
        int most = AttentionMaps.MOST_TOKENS;
        refused("tokens.size()=0", () -> AttentionMaps.of(List.of()));
        refused("keyTokens.size()=513", () -> AttentionMaps.of(List.of("a"), Collections.nCopies(most + 1, "a")));
        String message = assertThrows(NullPointerException.class, () -> AttentionMaps.of(Arrays.asList("a", null)))
                .getMessage();
        assertTrue(message.contains("tokens[1]"), message);
        AttentionMaps large = AttentionMaps.of(Collections.nCopies(most, "a"))
                .layer("a", scope.zeros(DType.FLOAT32, 15, most, most));
        refused("left=262144 weights=524288", () -> large.layer("b", scope.zeros(DType.FLOAT32, 2, most, most)));
        large.layer("b", scope.zeros(DType.FLOAT32, 1, most, most));
    }

    @Test
    void nothingIsWrittenWithoutLayers(@TempDir Path folder) {
        Path file = folder.resolve("a");
        assertThrows(IllegalStateException.class, () -> maps.writeHtml(file));
        assertThrows(IllegalStateException.class, () -> maps.writePng(file));
        assertFalse(Files.exists(file));
    }

    @Test
    void aLinkIsTheSumOverPiecesLookedAtAndTheMeanOverThoseThatLook() {
        Tensor first = scope.of(new float[] {.5f, .25f, .25f, .125f, .125f, .75f}, 1, 2, 3);
        Tensor second = scope.of(
                new float[] {.5f, .25f, .25f, .125f, .125f, .75f, 0, .5f, .5f, .25f, 0, .75f}, 2, 2, 3);
        maps.layer("a", first).layer("b", second);
        assertEquals(new Link(0, 0, span(0, 1), span(0, 1), .5f), maps.strongest(span(0, 1), span(0, 1)));
        assertEquals(new Link(1, 1, span(0, 1), span(1, 3), 1), maps.strongest(span(0, 1), span(1, 3)));
        assertEquals(new Link(0, 0, span(0, 2), span(0, 2), .5f), maps.strongest(span(0, 2), span(0, 2)));
        assertThrows(IndexOutOfBoundsException.class, () -> maps.strongest(span(1, 3), span(0, 1)));
        assertThrows(IndexOutOfBoundsException.class, () -> maps.mark(new Link(0, 1, span(0, 1), span(0, 1), 1)));
        assertThrows(IndexOutOfBoundsException.class, () -> maps.mark(new Link(0, 0, span(0, 1), span(3, 4), 1)));
    }

    @Test
    void colourRisesEvenlyInLightness() {
        double before = -1;
        for (int step = 0; step < ColourScale.SIZE; step++) {
            double lightness = lightness(ColourScale.dark(step));
            assertTrue(lightness > before - 0.25, "step " + step + ": " + lightness + " after " + before);
            before = Math.max(before, lightness);
        }
        assertTrue(lightness(ColourScale.dark(0)) < 10 && before > 95);
        assertEquals(ColourScale.dark(255), ColourScale.light(0, 1));
        assertEquals(ColourScale.dark(0), ColourScale.light(2, 2));
        assertEquals(ColourScale.light(0.25f, 1), ColourScale.light(0.5f, 2));
    }

    /** L* of CIELAB, 0 to 100, of 0xRRGGBB. */
    private static double lightness(int rgb) {
        double[] shares = {0.2126, 0.7152, 0.0722};
        double luminance = 0;
        for (int i = 0; i < 3; i++) {
            double channel = (rgb >> 16 - 8 * i & 255) / 255.0;
            luminance += shares[i] * (channel <= 0.04045 ? channel / 12.92 : Math.pow((channel + 0.055) / 1.055, 2.4));
        }
        return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
    }
}
