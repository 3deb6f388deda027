// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.maps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.tensor.TensorScope;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MapsPictureTest {
    @TempDir
    private Path folder;

    /** One head over so many tokens, all 0 but for one weight. */
    private BufferedImage picture(int queries, int keys, int query, int key, float weight) throws IOException {
        Path file = folder.resolve("maps.png");
        float[] weights = new float[queries * keys];
        weights[query * keys + key] = weight;
        try (TensorScope scope = TensorScope.open()) {
            AttentionMaps.of(MapsTestWeights.tokens(queries), MapsTestWeights.tokens(keys))
                    .title("A title, much too long for the picture. ".repeat(10))
                    .layer("A layer with a long name", scope.of(weights, 1, queries, keys))
                    .writePng(file);
        }
        return ImageIO.read(file.toFile());
    }

    private static int colour(BufferedImage picture, double x, double y) {
        int left = MapsPicture.MARGIN + MapsPicture.LABEL;
        return picture.getRGB((int) (left + x), (int) (MapsPicture.TOP + y)) & 0xFFFFFF;
    }

    @Test
    void aWeightHasItsColourAtItsPlace() throws IOException {
        BufferedImage picture = picture(5, 16, 3, 10, 0.36f);
        double width = MapsPicture.side(16) / 16.0;
        double height = MapsPicture.side(5) / 5.0;
        for (int query = 0; query < 5; query++) {
            for (int key = 0; key < 16; key++) {
                float weight = query == 3 && key == 10 ? 0.36f : 0;
                int actual = colour(picture, (key + 0.5) * width, (query + 0.5) * height);
                assertEquals(ColourScale.light(weight, 1), actual);
            }
        }
    }

    @Test
    void noWeightIsLostWhereTokensAreMoreThanPixels() throws IOException {
        BufferedImage picture = picture(512, 300, 511, 299, 1);
        int width = MapsPicture.side(300);
        int height = MapsPicture.side(512);
        assertTrue(width <= 144 && height <= 144);
        assertEquals(ColourScale.light(1, 1), colour(picture, width - 1, height - 1));
        assertEquals(ColourScale.light(0, 1), colour(picture, 0, 0));
    }

    @Test
    void manyHeadsTakeSeveralRows() throws IOException {
        Path few = folder.resolve("few.png");
        Path many = folder.resolve("many.png");
        try (TensorScope scope = TensorScope.open()) {
            for (int heads : new int[] {16, 33}) {
                AttentionMaps.of(MapsTestWeights.tokens(3))
                        .layer("a", scope.of(MapsTestWeights.random(heads, 3, 3), heads, 3, 3))
                        .writePng(heads == 16 ? few : many);
            }
        }
        BufferedImage one = ImageIO.read(few.toFile());
        BufferedImage three = ImageIO.read(many.toFile());
        assertEquals(one.getWidth(), three.getWidth());
        assertTrue(three.getHeight() >= one.getHeight() + 2 * MapsPicture.side(3));
    }
}
