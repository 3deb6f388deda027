// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.transformers.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MapsTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final StringWriter errors = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new Maps(new PrintStream(printed, true, StandardCharsets.UTF_8)))
                .setErr(new PrintWriter(errors))
                .execute(arguments);
    }

    private String console() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theHeadThatLinksItToAnimalIsNamed() throws IOException {
        assertEquals(0, run("--output=" + folder));
        Path html = folder.resolve("maps.html");
        Path png = folder.resolve("maps.png");
        assertTrue(console().contains("\"it\" (token 10) looks at \"animal\" (token 2) most in layer 3, head 1: 0.677"),
                console());
        assertTrue(console().contains(html.toString()) && console().contains(png.toString()), console());
        assertTrue(Files.size(html) < 1_000_000);
        assertTrue(Files.readString(html).contains("\"mark\":{\"layer\":3,\"head\":1,\"weight\":0.67"));
        assertTrue(ImageIO.read(png.toFile()).getWidth() > 12 * 128);
    }

    @Test
    void aWordOfSeveralPiecesIsOneWord() {
        assertEquals(0, run("--output=" + folder, "--text=Antidisestablishmentarianism is long; it tires.",
                "--from=it", "--to=ANTIDISESTABLISHMENTARIANISM"));
        assertTrue(console().contains("\"it\" (token 12) looks at \"Antidisestablishmentarianism\" (tokens 1 to 8)"),
                console());
    }

    @Test
    void anyTextHasItsStrongestLinkAndALongOneIsCut() {
        assertEquals(0, run("--output=" + folder, "--text=" + "bread and butter ".repeat(100)));
        assertTrue(console().contains("cut after 128 tokens") && console().contains(" looks at "), console());
        printed.reset();
        assertEquals(0, run("--output=" + folder, "--text=!"));
        assertFalse(console().contains(" looks at "), console());
    }

    @Test
    void aWordThatIsNotThereIsNamed() {
        assertEquals(CommandLine.ExitCode.USAGE, run("--output=" + folder, "--to=plant"));
        assertTrue(errors.toString().contains("no word \"plant\": words=[The, animal, didn, '"), errors.toString());
        assertFalse(Files.exists(folder.resolve("maps.html")));
    }
}
