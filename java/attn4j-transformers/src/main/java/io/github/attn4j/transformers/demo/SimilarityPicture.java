// SPDX-License-Identifier: Apache-2.0
// A heat map of cosines, the first text on top, each row labelled with its text and each column with the row's number.
package io.github.attn4j.transformers.demo;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;

final class SimilarityPicture {
    /** The most texts that stay legible. */
    static final int MOST_TEXTS = 40;

    private static final int CELL = 28;
    private static final int LABEL_LENGTH = 64;
    private static final int LABEL_WIDTH = 480;
    private static final int MARGIN = 90;
    private static final int LEAST_SIDE = 300;
    private static final Color[] COLOURS = {
        new Color(0xFFFFFF), new Color(0xDDEBF7), new Color(0x9ECAE1), new Color(0x4292C6), new Color(0x08519C),
        new Color(0x08306B)
    };

    private SimilarityPicture() {}

    /** Draws {@code cosines}, square, for as many texts, to a PNG file. */
    static void write(Path file, List<String> texts, float[][] cosines) throws IOException {
        int count = cosines.length;
        int side = Math.max(LEAST_SIDE, count * CELL);
        HeatMapChart chart = new HeatMapChartBuilder()
                .width(LABEL_WIDTH + MARGIN + side)
                .height(MARGIN + side)
                .title("Cosine similarity of " + count + " texts")
                .build();
        chart.getStyler()
                .setMin(0)
                .setMax(1)
                .setRangeColors(COLOURS)
                .setDrawBorder(true)
                .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13))
                .setXAxisTickMarkSpacingHint(CELL / 2)
                .setYAxisTickMarkSpacingHint(CELL / 2)
                .setPlotGridLinesVisible(false)
                .setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right)
                .setPlotContentSize(1)
                .setChartBackgroundColor(Color.WHITE);
        List<String> columns = IntStream.rangeClosed(1, count).mapToObj(Integer::toString).toList();
        List<String> rows = new ArrayList<>();
        List<Number[]> cells = new ArrayList<>();
        for (int row = 0; row < count; row++) {
            rows.add(label(texts.get(row)) + "  " + (row + 1));
            for (int column = 0; column < count; column++) {
                cells.add(new Number[] {column, count - 1 - row, cosines[row][column]});
            }
        }
        Collections.reverse(rows);
        chart.addSeries("cosine", columns, rows, cells);
        Files.write(file, ChartEncoder.getBytes(chart, "png"));
    }

    private static String label(String text) {
        return text.length() <= LABEL_LENGTH ? text : text.substring(0, LABEL_LENGTH - 1).stripTrailing() + "…";
    }
}
