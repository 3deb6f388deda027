// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** A white picture with a title that bars and lines are drawn on. */
final class Canvas {
    static final int WIDTH = 1000;
    /** Where the part below the title begins. */
    static final int TOP = 66;
    static final Color INK = new Color(0x333333);
    static final Color GRID = new Color(0xDDDDDD);
    private static final int MARGIN = 16;
    private static final int TEXT = 12;
    private static final float DASH = 6;

    /** Which part of a text is where it is put. */
    enum Anchor {
        LEFT,
        MIDDLE,
        RIGHT
    }

    private final BufferedImage image;
    private final Graphics2D graphics;

    Canvas(int height, String title, String subtitle) {
        image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
        graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, WIDTH, height);
        text(title, MARGIN, 26, Anchor.LEFT, Font.BOLD, 16);
        text(subtitle, MARGIN, 46, Anchor.LEFT);
    }

    void text(String text, double x, double y, Anchor anchor) {
        text(text, x, y, anchor, Font.PLAIN, TEXT);
    }

    void heading(String text, double x, double y) {
        text(text, x, y, Anchor.LEFT, Font.BOLD, TEXT);
    }

    /** From below to above, around a point. */
    void upright(String text, double x, double y) {
        graphics.rotate(-Math.PI / 2, x, y);
        text(text, x, y, Anchor.MIDDLE);
        graphics.rotate(Math.PI / 2, x, y);
    }

    private void text(String text, double x, double y, Anchor anchor, int style, int size) {
        graphics.setColor(INK);
        graphics.setFont(new Font(Font.SANS_SERIF, style, size));
        double width = graphics.getFontMetrics().stringWidth(text);
        double left = anchor == Anchor.LEFT ? x : anchor == Anchor.MIDDLE ? x - width / 2 : x - width;
        graphics.drawString(text, (float) left, (float) y);
    }

    double width(String text) {
        return graphics.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, TEXT)).stringWidth(text);
    }

    void rectangle(double x, double y, double width, double height, Color colour) {
        graphics.setColor(colour);
        graphics.fill(new Rectangle2D.Double(x, y, width, height));
    }

    void line(double x1, double y1, double x2, double y2, Color colour) {
        graphics.setColor(colour);
        graphics.setStroke(new BasicStroke(1));
        graphics.draw(new Line2D.Double(x1, y1, x2, y2));
    }

    void polyline(List<double[]> points, Color colour, boolean dashed) {
        Path2D path = new Path2D.Double();
        path.moveTo(points.get(0)[0], points.get(0)[1]);
        points.forEach(point -> path.lineTo(point[0], point[1]));
        graphics.setColor(colour);
        graphics.setStroke(new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1,
                dashed ? new float[] {DASH, DASH} : null, 0));
        graphics.draw(path);
    }

    void write(Path file) throws IOException {
        graphics.dispose();
        ImageIO.write(image, "png", file.toFile());
    }
}
