// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SimilarityTest {
    private static final float[][] VECTORS = {{1, 0}, {0.6f, 0.8f}, {0, 1}, {1, 0}};

    @Test
    void theBestPairsComeFirst() {
        List<String> texts = List.of("a", "b", "c", "d");
        List<Similarity.Pair> best = Similarity.best(texts, VECTORS, 4, 2);
        assertEquals(new Similarity.Pair(0, 3, 1), best.get(0));
        assertEquals(new Similarity.Pair(1, 2, 0.8f), best.get(1));
        assertEquals(3, Similarity.best(texts, VECTORS, 3, 10).size());
        assertEquals(1, Similarity.best(List.of("a", "a", "a", "b"), new float[][] {{1}, {1}, {1}, {0}}, 4, 1).size());
        assertEquals(0, Similarity.best(List.of("a", "a"), VECTORS, 2, 5).size());
    }

    @Test
    void thePictureOfFewAndOfManyTextsCanBeRead(@TempDir Path folder) throws IOException {
        for (int count : new int[] {1, 2, SimilarityPicture.MOST_TEXTS}) {
            Path file = folder.resolve(count + ".png");
            SimilarityPicture.write(file, Collections.nCopies(count, "A text. ".repeat(20)), new float[count][count]);
            BufferedImage picture = ImageIO.read(file.toFile());
            assertTrue(picture.getWidth() > picture.getHeight() && picture.getHeight() > 300);
        }
    }
}
