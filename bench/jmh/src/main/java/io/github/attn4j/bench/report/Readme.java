// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.report;

import io.github.attn4j.bench.run.Cell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The README's table and picture: whatever stands between the markers is replaced. */
final class Readme {
    static final String BEGIN = "<!-- bench: written by bench/report/run, not by hand -->";
    static final String END = "<!-- bench: end -->";

    private Readme() {}

    static void update(Path readme, Analysis analysis, Path machine, String set) throws IOException {
        String text = Files.readString(readme);
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IOException("the README lacks its markers: file=" + readme + " begin=" + BEGIN + " end=" + END);
        }
        Path folder = readme.toAbsolutePath().getParent().relativize(machine.toAbsolutePath());
        Files.writeString(readme, text.substring(0, begin + BEGIN.length()) + "\n" + table(analysis)
                + links(folder.toString().replace('\\', '/'), set) + text.substring(end));
    }

    private static String table(Analysis analysis) {
        StringBuilder out = new StringBuilder("\n| scenario | shape | threads | attn4j, ms | of its time from C "
                + "| share of the limit | fastest other | its time, ms | its time / attn4j's |\n"
                + "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for (Analysis.Key key : analysis.keys()) {
            Optional<Comparison> closest = analysis.closest(key);
            if (closest.isEmpty() || key.scenario().equals("growth")) {
                continue;
            }
            Cell ours = closest.get().ours();
            Cell other = closest.get().contender();
            boolean limited = key.scenario().equals("prefill") || key.scenario().equals("module");
            out.append("| ").append(String.join(" | ", key.scenario(), key.shape(), Integer.toString(key.threads()),
                    Unit.MILLISECONDS.time(ours).toString(),
                    analysis.fromC(ours).map(one -> one.spread().toString()).orElse(""),
                    limited ? analysis.share(ours).map(Markdown::percent).orElse("") : "", other.contender,
                    Unit.MILLISECONDS.time(other).toString(), closest.get().spread().toString())).append(" |\n");
        }
        return out + "\n" + analysis.results.machine.name() + ", commit " + analysis.results.commit + ", "
                + analysis.results.date.substring(0, 10) + ", float32; medians over the rounds, in brackets the range; "
                + "ratios are formed round by round: above 1 in the last column attn4j is faster. From C: the same "
                + "work without a JVM, in scenario model without tokenizing too. Shapes: batch x heads / key-value "
                + "heads : queries x keys x headDim; modules batch x rows x width / heads; the model embeds that many "
                + "sentences of Europarl with all-MiniLM-L6-v2.\n";
    }

    private static String links(String folder, String set) {
        return "\n![Speed in scenario prefill](" + folder + "/" + Pictures.file(set, "prefill") + ")\n\n"
                + "All numbers, pictures and versions: [" + folder + "/" + set + ".md](" + folder + "/" + set
                + ".md).\n";
    }
}
