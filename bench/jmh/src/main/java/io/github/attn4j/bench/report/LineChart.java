// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.report.Canvas.Anchor;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/** Lines through points that carry the range of the rounds, over an axis that is labelled where the points are. */
final class LineChart {
    private static final int HEIGHT = 480;
    private static final int LEFT = 84;
    private static final int LEGEND = 240;
    private static final int BELOW = 56;
    private static final int ROW = 20;
    private static final int GAP = 8;
    private static final int SAMPLE = 28;
    private static final int DOT = 6;

    /** One line. */
    record Line(String name, Color colour, boolean dashed, SortedMap<Double, Spread> points) {}

    private final Canvas canvas;
    private final Axis x;
    private final Axis y;
    private final int right = Canvas.WIDTH - LEGEND;
    private final int bottom = HEIGHT - BELOW;

    private LineChart(String title, String subtitle, List<Line> lines, boolean logarithmic) {
        canvas = new Canvas(HEIGHT, title, subtitle);
        x = Axis.at(lines.stream().flatMap(line -> line.points().keySet().stream()).distinct().sorted().toList(),
                logarithmic);
        List<Spread> values = lines.stream().flatMap(line -> line.points().values().stream()).toList();
        double least = values.stream().mapToDouble(Spread::least).min().orElseThrow();
        double most = values.stream().mapToDouble(Spread::most).max().orElseThrow();
        y = logarithmic ? Axis.logarithmic(least, most) : Axis.linear(most);
    }

    /** Both axes are logarithmic, or neither. */
    static void write(Path file, String title, String subtitle, String xAxis, String yAxis, List<Line> lines,
            boolean logarithmic) throws IOException {
        LineChart chart = new LineChart(title, subtitle, lines, logarithmic);
        chart.axes(xAxis, yAxis);
        lines.forEach(chart::line);
        chart.legend(lines);
        chart.canvas.write(file);
    }

    private void axes(String xAxis, String yAxis) {
        for (double tick : x.ticks()) {
            canvas.line(across(tick), Canvas.TOP, across(tick), bottom, Canvas.GRID);
            canvas.text(Axis.label(tick), across(tick), bottom + ROW, Anchor.MIDDLE);
        }
        for (double tick : y.ticks()) {
            canvas.line(LEFT, up(tick), right, up(tick), Canvas.GRID);
            canvas.text(Axis.label(tick), LEFT - GAP, up(tick) + GAP / 2.0, Anchor.RIGHT);
        }
        canvas.line(LEFT, Canvas.TOP, LEFT, bottom, Canvas.INK);
        canvas.line(LEFT, bottom, right, bottom, Canvas.INK);
        canvas.text(xAxis, (LEFT + right) / 2.0, bottom + 2 * ROW, Anchor.MIDDLE);
        canvas.upright(yAxis, ROW, (Canvas.TOP + bottom) / 2.0);
    }

    private void line(Line line) {
        List<double[]> points = new ArrayList<>();
        for (Map.Entry<Double, Spread> point : line.points().entrySet()) {
            double at = across(point.getKey());
            Spread value = point.getValue();
            points.add(new double[] {at, up(value.median())});
            if (value.most() > value.least()) {
                whisker(at, up(value.least()), up(value.most()), line.colour());
            }
        }
        canvas.polyline(points, line.colour(), line.dashed());
        points.forEach(point -> dot(point[0], point[1], line.colour()));
    }

    private void whisker(double at, double least, double most, Color colour) {
        canvas.line(at, least, at, most, colour);
        canvas.line(at - DOT, least, at + DOT, least, colour);
        canvas.line(at - DOT, most, at + DOT, most, colour);
    }

    private void legend(List<Line> lines) {
        int at = Canvas.TOP + ROW;
        for (Line line : lines) {
            double left = right + 2.0 * GAP;
            canvas.polyline(List.of(new double[] {left, at}, new double[] {left + SAMPLE, at}), line.colour(),
                    line.dashed());
            dot(left + SAMPLE / 2.0, at, line.colour());
            canvas.text(line.name(), left + SAMPLE + GAP, at + GAP / 2.0, Anchor.LEFT);
            at += ROW;
        }
    }

    private void dot(double across, double up, Color colour) {
        canvas.rectangle(across - DOT / 2.0, up - DOT / 2.0, DOT, DOT, colour);
    }

    private double across(double value) {
        return LEFT + x.place(value) * (right - LEFT);
    }

    private double up(double value) {
        return bottom - y.place(value) * (bottom - Canvas.TOP);
    }
}
