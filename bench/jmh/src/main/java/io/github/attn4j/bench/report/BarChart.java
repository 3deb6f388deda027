// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.report.Canvas.Anchor;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Lying bars with their names before them, their values behind them and the range of the rounds on them. */
final class BarChart {
    private static final int ROW = 20;
    private static final int BAR = 14;
    private static final int HEADING = 24;
    private static final int BELOW = 32;
    private static final int MARGIN = 16;
    private static final int GAP = 8;
    private static final int VALUE = 48;
    private static final int WHISKER = 3;

    /** One bar. */
    record Bar(String name, Color colour, Spread value) {}

    /** Bars that are compared with each other. */
    record Group(String heading, List<Bar> bars) {}

    private final Canvas canvas;
    private final List<Group> groups;
    private final Axis axis;
    private final int columns;

    private BarChart(String title, String subtitle, List<Group> groups) {
        this.groups = groups;
        axis = Axis.linear(groups.stream()
                .flatMap(group -> group.bars().stream())
                .mapToDouble(bar -> bar.value().most())
                .max()
                .orElseThrow());
        columns = groups.size() > 2 ? 2 : 1;
        int height = 0;
        for (int i = 0; i < groups.size(); i += columns) {
            height += height(i);
        }
        canvas = new Canvas(Canvas.TOP + height, title, subtitle);
    }

    /** Of the groups that stand side by side from this one on. */
    private int height(int first) {
        return HEADING + BELOW + ROW * groups.subList(first, Math.min(first + columns, groups.size()))
                .stream()
                .mapToInt(group -> group.bars().size())
                .max()
                .orElseThrow();
    }

    static void write(Path file, String title, String subtitle, List<Group> groups) throws IOException {
        BarChart chart = new BarChart(title, subtitle, groups);
        chart.draw();
        chart.canvas.write(file);
    }

    private void draw() {
        double names = groups.stream()
                .flatMap(group -> group.bars().stream())
                .mapToDouble(bar -> canvas.width(bar.name()))
                .max()
                .orElseThrow();
        int width = (Canvas.WIDTH - MARGIN) / columns;
        int top = Canvas.TOP;
        for (int i = 0; i < groups.size(); i++) {
            double left = MARGIN + i % columns * (double) width;
            draw(groups.get(i), left, top, left + names + GAP, left + width - VALUE - MARGIN);
            if (i % columns == columns - 1) {
                top += height(i - i % columns);
            }
        }
    }

    private void draw(Group group, double left, int top, double from, double to) {
        canvas.heading(group.heading(), left, top + BAR);
        int first = top + HEADING;
        int last = first + ROW * group.bars().size();
        for (double tick : axis.ticks()) {
            double x = from + axis.place(tick) * (to - from);
            canvas.line(x, first, x, last, Canvas.GRID);
            canvas.text(Axis.label(tick), x, last + BAR, Anchor.MIDDLE);
        }
        int y = first + (ROW - BAR) / 2;
        for (Bar bar : group.bars()) {
            canvas.text(bar.name(), from - GAP, y + BAR - 2, Anchor.RIGHT);
            canvas.rectangle(from, y, axis.place(bar.value().median()) * (to - from), BAR, bar.colour());
            double least = from + axis.place(bar.value().least()) * (to - from);
            double most = from + axis.place(bar.value().most()) * (to - from);
            double middle = y + BAR / 2.0;
            if (most - least > 1) {
                canvas.line(least, middle, most, middle, Canvas.INK);
                canvas.line(least, middle - WHISKER, least, middle + WHISKER, Canvas.INK);
                canvas.line(most, middle - WHISKER, most, middle + WHISKER, Canvas.INK);
            }
            canvas.text(Spread.digits(bar.value().median()), most + GAP, y + BAR - 2, Anchor.LEFT);
            y += ROW;
        }
        canvas.line(from, first, from, last, Canvas.INK);
    }
}
