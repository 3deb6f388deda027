// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import io.github.attn4j.transformers.ModelFiles;
import io.github.attn4j.transformers.SentenceEncoder;
import io.github.attn4j.transformers.TextAttention;
import io.github.attn4j.transformers.TextAttention.Word;
import io.github.attn4j.transformers.maps.AttentionMaps;
import io.github.attn4j.transformers.maps.Link;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Runs a published encoder on a sentence, names the head that links one word to another most, and writes the heat maps
 * of all heads as a web page and as a picture.
 */
@Command(
        name = "attn4j-maps",
        mixinStandardHelpOptions = true,
        description = "Shows what the heads of a sentence encoder look at.")
public final class Maps implements Callable<Integer> {
    static final String SENTENCE = "The animal didn't cross the street because it was too tired.";

    private static final String MODEL = "all-minilm-l6-v2";
    private static final int MOST_TOKENS = 128;

    private final PrintStream out;

    @Spec
    private CommandSpec spec;

    @Option(names = "--text", paramLabel = "TEXT", description = "A sentence instead of the built-in one.")
    private String text = "";

    @Option(names = "--from", paramLabel = "WORD", description = "A word of it that looks: \"it\".")
    private String from = "";

    @Option(names = "--to", paramLabel = "WORD", description = "A word of it that is looked at: \"animal\".")
    private String to = "";

    @Option(names = "--output", paramLabel = "DIR", description = "Where the page and the picture go.")
    private Path output = Path.of("target", "maps");

    Maps(PrintStream out) {
        this.out = out;
    }

    /**
     * Writes the maps and exits.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        PrintStream console = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.exit(new CommandLine(new Maps(console)).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        boolean builtIn = text.isBlank();
        String sentence = builtIn ? SENTENCE : text.strip();
        try (TensorScope scope = TensorScope.open();
                SentenceEncoder encoder = SentenceEncoder.builder(ModelFiles.onClassPath(MODEL))
                        .maxTokens(MOST_TOKENS)
                        .build()) {
            TextAttention attention = encoder.attention(scope, sentence);
            AttentionMaps maps = maps(sentence, attention);
            out.printf("%n%s%n%s: %d tokens, %s%n", sentence, MODEL, attention.tokens().size(), attention.tokens());
            if (attention.tokens().size() == MOST_TOKENS) {
                out.printf("A longer text is cut after %d tokens.%n", MOST_TOKENS);
            }
            List<Word> looking = words(attention, from.isBlank() && builtIn ? "it" : from);
            List<Word> lookedAt = words(attention, to.isBlank() && builtIn ? "animal" : to);
            mark(maps, looking, lookedAt);
            write(maps);
        }
        return CommandLine.ExitCode.OK;
    }

    /** The maps of all layers of one text. */
    static AttentionMaps maps(String text, TextAttention attention) {
        List<Tensor> layers = attention.layers();
        AttentionMaps maps = AttentionMaps.of(attention.tokens())
                .title(text)
                .subtitle(String.format(Locale.ROOT, "%s, %d layers of %d heads, %d tokens", MODEL, layers.size(),
                        layers.get(0).size(0), attention.tokens().size()));
        for (int layer = 0; layer < layers.size(); layer++) {
            maps.layer("Layer " + layer, layers.get(layer));
        }
        return maps;
    }

    /** The word that was asked for, or all words with a letter or digit. */
    private List<Word> words(TextAttention attention, String asked) {
        if (asked.isBlank()) {
            return attention.words().stream()
                    .filter(word -> word.text().codePoints().anyMatch(Character::isLetterOrDigit))
                    .toList();
        }
        return List.of(attention.word(asked).orElseThrow(() -> new CommandLine.ParameterException(
                spec.commandLine(), "the text has no word \"" + asked + "\": words="
                        + attention.words().stream().map(Word::text).toList())));
    }

    /** Finds the strongest link from one of these words to another, names and highlights it. */
    private void mark(AttentionMaps maps, List<Word> looking, List<Word> lookedAt) {
        Link best = null;
        String words = "";
        for (Word from : looking) {
            for (Word to : lookedAt) {
                Link link = maps.strongest(from.tokens(), to.tokens());
                if (!from.equals(to) && (best == null || link.weight() > best.weight())) {
                    best = link;
                    words = String.format("\"%s\" (%s) looks at \"%s\" (%s)",
                            from.text(), pieces(from), to.text(), pieces(to));
                }
            }
        }
        if (best != null) {
            out.printf(Locale.ROOT, "%s most in layer %d, head %d: %.3f of its attention (all counted from 0)%n", words,
                    best.layer(), best.head(), best.weight());
        }
        maps.mark(best);
    }

    private static String pieces(Word word) {
        int first = word.tokens().from();
        int last = word.tokens().to() - 1;
        return first == last ? "token " + first : "tokens " + first + " to " + last;
    }

    private void write(AttentionMaps maps) throws IOException {
        Files.createDirectories(output);
        Path html = output.resolve("maps.html");
        Path png = output.resolve("maps.png");
        maps.writeHtml(html);
        maps.writePng(png);
        out.printf("%nWritten: %s (open it in a browser)%n         %s%n%n", html, png);
    }
}
