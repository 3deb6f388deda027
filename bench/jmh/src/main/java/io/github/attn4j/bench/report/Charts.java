// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;

/** Bars and lines in the report's one look: attn4j in blues, others in warm colours and greys. */
final class Charts {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 480;
    private static final Color[] OURS = {new Color(0x08306B), new Color(0x2171B5), new Color(0x6BAED6),
        new Color(0x9ECAE1), new Color(0xC6DBEF)};
    private static final Color[] OTHERS = {new Color(0xD94801), new Color(0xFDAE6B), new Color(0x7F2704),
        new Color(0x238B45), new Color(0xA1D99B), new Color(0x636363), new Color(0xBDBDBD), new Color(0x6A51A3),
        new Color(0xBCBDDC)};

    private Charts() {}

    static void bars(Path file, String title, String axis, List<String> groups, Map<String, List<Double>> series)
            throws IOException {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .yAxisTitle(axis)
                .build();
        look(chart.getStyler(), series.keySet());
        chart.getStyler().setAvailableSpaceFill(0.85);
        series.forEach((name, values) -> {
            List<Double> drawn = new ArrayList<>();
            values.forEach(value -> drawn.add(value.isNaN() ? null : value));
            chart.addSeries(name, groups, drawn);
        });
        Files.write(file, ChartEncoder.getBytes(chart, "png"));
    }

    static void lines(Path file, String title, String xAxis, String yAxis,
            Map<String, Map<Double, Double>> series, boolean logarithmic) throws IOException {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(xAxis)
                .yAxisTitle(yAxis)
                .build();
        look(chart.getStyler(), series.keySet());
        if (logarithmic) {
            chart.getStyler().setXAxisLogarithmic(true).setYAxisLogarithmic(true);
        } else {
            chart.getStyler().setYAxisMin(0.0);
        }
        series.forEach((name, points) ->
                chart.addSeries(name, new ArrayList<>(points.keySet()), new ArrayList<>(points.values())));
        Files.write(file, ChartEncoder.getBytes(chart, "png"));
    }

    private static void look(AxesChartStyler styler, Iterable<String> names) {
        styler.setSeriesColors(colours(names));
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    }

    private static Color[] colours(Iterable<String> names) {
        List<Color> colours = new ArrayList<>();
        int ours = 0;
        int others = 0;
        for (String name : names) {
            colours.add(name.contains("attn4j") ? OURS[ours++ % OURS.length] : OTHERS[others++ % OTHERS.length]);
        }
        return colours.toArray(new Color[0]);
    }
}
