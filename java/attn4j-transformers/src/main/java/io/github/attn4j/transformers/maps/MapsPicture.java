// SPDX-License-Identifier: Apache-2.0
// The heat maps of all heads as one picture: a row for each layer, or several where it has many heads; title, legend
// and the highlighted link. Drawn for a light ground, with two pixels for one of the page.
package io.github.attn4j.transformers.maps;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;

final class MapsPicture {
    static final int MARGIN = 56;
    static final int LABEL = 190;
    static final int TOP = 250;

    private static final int THUMB = 144;
    private static final int GAP = 14;
    private static final int NUMBER = 30;
    private static final int MOST_ACROSS = 16;
    private static final int LEAST_WIDTH = 1200;
    private static final float[] TICKS = {0, 0.01f, 0.05f, 0.1f, 0.25f, 0.5f, 1};
    private static final int LEGEND = 640;
    private static final Color GROUND = new Color(0xFAF8F5);
    private static final Color INK = new Color(0x1D1A26);
    private static final Color QUIET = new Color(0x6A6577);
    private static final Color LINE = new Color(0xE2DDE6);
    private static final Color ACCENT = new Color(0x8A2F86);

    private final AttentionMaps maps;
    private final float top;
    private final int across;
    private final int thumbWidth;
    private final int thumbHeight;
    private Graphics2D graphics;

    private MapsPicture(AttentionMaps maps) {
        this.maps = maps;
        top = maps.top();
        across = Math.min(MOST_ACROSS, maps.layers.stream().mapToInt(layer -> layer.heads).max().orElseThrow());
        thumbWidth = side(maps.keys.size());
        thumbHeight = side(maps.queries.size());
    }

    static void write(Path file, AttentionMaps maps) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(new MapsPicture(maps).draw(), "png", bytes);
        Files.write(file, bytes.toByteArray());
    }

    /** Pixels for so many tokens: as many for each, and about {@link #THUMB} altogether. */
    static int side(int tokens) {
        int shown = pooled(tokens);
        return shown * Math.max(1, THUMB / shown);
    }

    /** Rows or columns of a heat map: one a token, or one for each several where there are more than can be shown. */
    private static int pooled(int tokens) {
        int together = together(tokens);
        return (tokens + together - 1) / together;
    }

    private static int together(int tokens) {
        return (tokens + AttentionMaps.MOST_PIXELS - 1) / AttentionMaps.MOST_PIXELS;
    }

    private BufferedImage draw() {
        int bands = maps.layers.stream().mapToInt(layer -> (layer.heads + across - 1) / across).sum();
        int width = Math.max(LEAST_WIDTH, 2 * MARGIN + LABEL + across * (thumbWidth + GAP));
        int height = TOP + bands * (thumbHeight + NUMBER + GAP) + MARGIN;
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        graphics = picture.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setColor(GROUND);
            graphics.fillRect(0, 0, width, height);
            drawHeading(width - 2 * MARGIN);
            drawLegend();
            int y = TOP;
            for (int layer = 0; layer < maps.layers.size(); layer++) {
                y = drawLayer(picture, layer, y);
            }
        } finally {
            graphics.dispose();
        }
        return picture;
    }

    private void drawHeading(int width) {
        text(maps.title, Font.BOLD, 36, INK, MARGIN, 76, width);
        text(maps.subtitle, Font.PLAIN, 22, QUIET, MARGIN, 112, width);
        if (maps.mark != null) {
            String link = "“" + AttentionMaps.text(maps.queries, maps.mark.queries()) + "” looks at “"
                    + AttentionMaps.text(maps.keys, maps.mark.keys()) + "” most in "
                    + maps.layers.get(maps.mark.layer()).name + ", head " + maps.mark.head() + ": "
                    + String.format(Locale.ROOT, "%.3f", maps.mark.weight());
            text(link, Font.PLAIN, 22, ACCENT, MARGIN, 146, width);
        }
    }

    private void drawLegend() {
        int y = 176;
        for (int x = 0; x < LEGEND; x++) {
            float root = x / (LEGEND - 1f);
            graphics.setColor(new Color(ColourScale.light(root * root * top, top)));
            graphics.fillRect(MARGIN + x, y, 1, 18);
        }
        graphics.setColor(LINE);
        graphics.drawRect(MARGIN, y, LEGEND, 18);
        for (float tick : TICKS) {
            String number = new BigDecimal(Float.toString(tick * top))
                    .round(new MathContext(3)).stripTrailingZeros().toPlainString();
            int x = MARGIN + (int) Math.round(LEGEND * Math.sqrt(tick));
            graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 18));
            int half = graphics.getFontMetrics().stringWidth(number) / 2;
            text(number, Font.PLAIN, 18, QUIET, tick == 0 ? x : x - half, y + 40, LEGEND);
        }
        text("share of the attention", Font.PLAIN, 18, QUIET, MARGIN + LEGEND + 24, y + 16, LEGEND);
    }

    /** Returns where the next layer begins. */
    private int drawLayer(BufferedImage picture, int index, int from) {
        MapLayer layer = maps.layers.get(index);
        text(layer.name, Font.BOLD, 24, INK, MARGIN, from + 30, LABEL - 12);
        int y = from;
        for (int head = 0; head < layer.heads; head++) {
            if (head > 0 && head % across == 0) {
                y += thumbHeight + NUMBER + GAP;
            }
            int x = MARGIN + LABEL + head % across * (thumbWidth + GAP);
            paint(picture, layer, head, x, y);
            boolean marked = maps.mark != null && maps.mark.layer() == index && maps.mark.head() == head;
            graphics.setColor(marked ? ACCENT : LINE);
            graphics.setStroke(new BasicStroke(marked ? 5 : 1));
            int out = marked ? 4 : 1;
            graphics.drawRect(x - out, y - out, thumbWidth + 2 * out - 1, thumbHeight + 2 * out - 1);
            text(Integer.toString(head), marked ? Font.BOLD : Font.PLAIN, 18, marked ? ACCENT : QUIET,
                    x + thumbWidth / 2 - 6, y + thumbHeight + 24, thumbWidth);
        }
        return y + thumbHeight + NUMBER + GAP;
    }

    private void paint(BufferedImage picture, MapLayer layer, int head, int left, int above) {
        int queries = maps.queries.size();
        int keys = maps.keys.size();
        float[] largest = new float[pooled(queries) * pooled(keys)];
        for (int query = 0; query < queries; query++) {
            for (int key = 0; key < keys; key++) {
                int cell = query / together(queries) * pooled(keys) + key / together(keys);
                largest[cell] = Math.max(largest[cell], layer.at(head, query, key));
            }
        }
        for (int y = 0; y < thumbHeight; y++) {
            for (int x = 0; x < thumbWidth; x++) {
                int row = y * pooled(queries) / thumbHeight;
                int column = x * pooled(keys) / thumbWidth;
                picture.setRGB(left + x, above + y, ColourScale.light(largest[row * pooled(keys) + column], top));
            }
        }
    }

    /** One line, cut where it would exceed the width. */
    private void text(String text, int style, int size, Color colour, int x, int y, int width) {
        graphics.setFont(new Font(Font.SANS_SERIF, style, size));
        graphics.setColor(colour);
        FontMetrics metrics = graphics.getFontMetrics();
        String line = text;
        while (metrics.stringWidth(line) > width) {
            line = line.substring(0, line.offsetByCodePoints(line.length(), line.endsWith("…") ? -2 : -1)) + "…";
        }
        graphics.drawString(line, x, y);
    }
}
