// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.maps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.TokenSpan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.htmlunit.WebClient;
import org.htmlunit.html.DomElement;
import org.htmlunit.html.HtmlPage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script of the page in a browser engine, which fails a test by any error of the script. The engine has no layout:
 * sizes are made up, and where lines run is not seen.
 */
class MapsScriptTest {
    private static final int[] HEADS = {3, 2};
    private static final int QUERIES = 5, KEYS = 7, LONGEST = 5000;
    private static final String NO_LAYOUT = "var ResizeObserver = function() { this.observe = function() {}; };\n";

    private final WebClient client = new WebClient();
    private final float[][] weights = new float[HEADS.length][];
    private String address;
    private float top;
    private HtmlPage page;

    @BeforeEach
    void open(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("maps.html");
        AttentionMaps maps = AttentionMaps.of(MapsTestWeights.tokens(QUERIES), MapsTestWeights.tokens(KEYS));
        try (TensorScope scope = TensorScope.open()) {
            for (int layer = 0; layer < HEADS.length; layer++) {
                weights[layer] = MapsTestWeights.random(HEADS[layer], QUERIES, KEYS);
                maps.layer("layer " + layer, scope.of(weights[layer], HEADS[layer], QUERIES, KEYS));
            }
        }
        maps.mark(maps.strongest(new TokenSpan(1, 3), new TokenSpan(2, 3))).writeHtml(file);
        top = maps.top();
        address = file.toUri().toString();
        client.setScriptPreProcessor((of, source, name, line, element) -> NO_LAYOUT + source);
        page = client.getPage(address);
    }

    @AfterEach
    void close() {
        client.close();
    }

    private float weight(int layer, int head, int query, int key) {
        return weights[layer][(head * QUERIES + query) * KEYS + key];
    }

    private Object script(String text) {
        return page.executeJavaScript(text).getJavaScriptResult();
    }

    private int number(String text) {
        return ((Number) script(text)).intValue();
    }

    private boolean isOpen() {
        return (boolean) script("byId('stage').open");
    }

    private void click(String selector) throws IOException {
        page.<DomElement>querySelector(selector).click();
        client.waitForBackgroundJavaScript(LONGEST);
    }

    private void enlarge(int layer, int head) throws IOException {
        click(".layer:nth-of-type(" + (layer + 1) + ") .thumb:nth-of-type(" + (head + 1) + ")");
    }

    private void hover(int word) {
        ((DomElement) page.querySelectorAll("#queries .word").get(word)).fireEvent("pointerenter");
        client.waitForBackgroundJavaScript(LONGEST);
    }

    /** The keys that a word looks at, the most first. */
    private List<Integer> ranked(int layer, int head, int query) {
        return IntStream.range(0, KEYS).boxed()
                .sorted(Comparator.comparing((Integer key) -> -weight(layer, head, query, key))).toList();
    }

    private void assertShown(int layer, int head, int word) {
        assertEquals("#layer=" + layer + "&head=" + head + "&word=" + word, script("location.hash"));
        assertDrawn(layer, head, word);
    }

    private void assertDrawn(int layer, int head, int word) {
        assertTrue(isOpen());
        assertEquals("layer " + layer + ", head " + head, script("byId('head-name').textContent"));
        assertEquals("" + word, script("String([...byId('queries').children]"
                + ".findIndex(each => each.getAttribute('aria-pressed') === 'true'))"));
        List<Integer> ranked = ranked(layer, head, word);
        float most = weight(layer, head, word, ranked.get(0));
        assertEquals(String.format(Locale.ROOT, "“t%d” (%d) looks at “t%d” (%d) with %.3f of its attention", word, word,
                ranked.get(0), ranked.get(0), most), script("byId('readout').textContent"));
        assertEquals(ranked.stream().map(key -> "t" + key).toList(), Arrays.asList(((String) script(
                "[...document.querySelectorAll('#ranks b')].map(each => each.textContent).join()")).split(",")));
        double[] drawn = Arrays.stream(((String) script("[...byId('lines').children]"
                + ".map(line => line.getAttribute('stroke-width')).join()")).split(","))
                .mapToDouble(Double::parseDouble)
                .toArray();
        double[] links = ranked.stream().mapToDouble(key -> weight(layer, head, word, key) / top)
                .filter(share -> share > 0.01).map(share -> 1 + 9 * share).toArray();
        assertEquals(links.length, drawn.length);
        for (int i = 0; i < links.length; i++) {
            assertEquals(links[i], drawn[i], 9.0 / 65535);
        }
    }

    @Test
    void aThumbnailForEveryLayerAndHead() {
        assertEquals(HEADS.length, number("document.querySelectorAll('.layer').length"));
        for (int layer = 0; layer < HEADS.length; layer++) {
            String of = "document.querySelectorAll('.layer')[" + layer + "]";
            assertEquals("layer " + layer, script(of + ".querySelector('h3').textContent"));
            assertEquals(HEADS[layer], number(of + ".querySelectorAll('.thumb canvas').length"));
            for (int head = 0; head < HEADS[layer]; head++) {
                String canvas = of + ".querySelectorAll('canvas')[" + head + "]";
                assertEquals(KEYS, number(canvas + ".width"));
                assertEquals(QUERIES, number(canvas + ".height"));
                assertPainted(canvas, layer, head);
            }
        }
        assertFalse(isOpen());
    }

    private void assertPainted(String canvas, int layer, int head) {
        boolean dark = "dark".equals(script("document.documentElement.dataset.theme"));
        String[] painted = ((String) script("[..." + canvas + ".getContext('2d').getImageData(0, 0, " + KEYS + ", "
                + QUERIES + ").data].join()")).split(",");
        for (int cell = 0; cell < QUERIES * KEYS; cell++) {
            int rounded = Math.round(weight(layer, head, cell / KEYS, cell % KEYS) / top * 65535);
            int step = (int) Math.round(255 * Math.sqrt(rounded / 65535.0));
            int colour = ColourScale.dark(dark ? step : 255 - step);
            assertEquals(colour >> 16, Integer.parseInt(painted[4 * cell]));
            assertEquals(colour >> 8 & 0xFF, Integer.parseInt(painted[4 * cell + 1]));
            assertEquals(colour & 0xFF, Integer.parseInt(painted[4 * cell + 2]));
            assertEquals(255, Integer.parseInt(painted[4 * cell + 3]));
        }
    }

    @Test
    void aClickEnlarges() throws IOException {
        for (int layer = 0; layer < HEADS.length; layer++) {
            for (int head = 0; head < HEADS[layer]; head++) {
                enlarge(layer, head);
                assertShown(layer, head, 1);
                click("#close");
                assertFalse(isOpen());
                assertEquals("", script("location.hash"));
            }
        }
        click("#mark");
        assertTrue(isOpen());
        assertTrue(((String) script("byId('mark-text').textContent")).contains((String) script(
                "byId('head-name').textContent")));
    }

    @Test
    void hoveringAWordShowsItsLinks() throws IOException {
        enlarge(1, 1);
        int places = number("history.length");
        for (int word : new int[] {4, 0, 3}) {
            hover(word);
            assertShown(1, 1, word);
        }
        assertEquals(places, number("history.length"));
    }

    /** The engine's own Back leaves the address, so what a browser does is done by hand: the address is what it was. */
    @Test
    void backClosesTheEnlargedHead() throws IOException {
        int places = number("history.length");
        enlarge(0, 2);
        hover(4);
        assertShown(0, 2, 4);
        assertEquals(places + 1, number("history.length"));
        script("location.hash = ''");
        client.waitForBackgroundJavaScript(LONGEST);
        assertFalse(isOpen());
        script("location.hash = '#layer=0&head=2&word=4'");
        client.waitForBackgroundJavaScript(LONGEST);
        assertShown(0, 2, 4);
    }

    @Test
    void stepsGoRoundAndKeepTheWord() throws IOException {
        enlarge(0, 2);
        hover(3);
        click("[data-step=head][data-by='1']");
        assertShown(0, 0, 3);
        click("[data-step=head][data-by='-1']");
        assertShown(0, 2, 3);
        click("[data-step=layer][data-by='-1']");
        assertShown(1, 1, 3);
    }

    @Test
    void anAddressOpensWhatItNamesAsFarAsItIsThere() throws IOException {
        page = client.getPage(address + "#layer=1&head=0&word=2");
        assertShown(1, 0, 2);
        page = client.getPage("about:blank");
        page = client.getPage(address + "#layer=7&head=-3&word=99");
        assertDrawn(1, 0, QUERIES - 1);
    }

    @Test
    void theThemeTurnsTheColoursRound() throws IOException {
        String canvas = "document.querySelector('.thumb canvas')";
        Object before = script("document.documentElement.dataset.theme");
        click("#theme");
        assertNotEquals(before, script("document.documentElement.dataset.theme"));
        assertPainted(canvas, 0, 0);
        click("#theme");
        assertEquals(before, script("document.documentElement.dataset.theme"));
        assertPainted(canvas, 0, 0);
    }
}
