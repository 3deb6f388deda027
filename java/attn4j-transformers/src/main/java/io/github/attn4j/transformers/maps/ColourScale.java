// SPDX-License-Identifier: Apache-2.0
// 256 colours of evenly rising lightness, from night over plum and coral to cream, so that equal steps look equal and
// survive a grey printer and colour blindness. Laid out in OKLab (Björn Ottosson, 2020), chroma cut to what sRGB has.
package io.github.attn4j.transformers.maps;

final class ColourScale {
    static final int SIZE = 256;

    private static final double DARKEST = 0.19;
    private static final double LIGHTEST = 0.975;
    private static final double[] HUES = {285, 305, 345, 390, 425, 455}; // degrees, at equal distances
    private static final double[] CHROMAS = {0.045, 0.13, 0.185, 0.155, 0.095, 0.025};
    private static final int[] COLOURS = new int[SIZE];

    static {
        for (int i = 0; i < SIZE; i++) {
            double at = i / (SIZE - 1.0);
            double lightness = DARKEST + at * (LIGHTEST - DARKEST);
            COLOURS[i] = inGamut(lightness, between(CHROMAS, at), Math.toRadians(between(HUES, at)));
        }
    }

    private ColourScale() {}

    /** 0xRRGGBB of a step from 0, the darkest, to 255. */
    static int dark(int step) {
        return COLOURS[step];
    }

    /** 0xRRGGBB for a light ground, where more is darker: of a weight from 0 to {@code top}, by its square root. */
    static int light(float weight, float top) {
        return COLOURS[SIZE - 1 - (int) Math.round((SIZE - 1) * Math.sqrt(weight / top))];
    }

    private static double between(double[] stops, double at) {
        double place = at * (stops.length - 1);
        int stop = Math.min((int) place, stops.length - 2);
        return stops[stop] + (place - stop) * (stops[stop + 1] - stops[stop]);
    }

    private static int inGamut(double lightness, double chroma, double hue) {
        double cut = chroma;
        while (true) {
            double[] rgb = linear(lightness, cut * Math.cos(hue), cut * Math.sin(hue));
            if (inside(rgb) || cut < 1e-6) {
                return channel(rgb[0]) << 16 | channel(rgb[1]) << 8 | channel(rgb[2]);
            }
            cut *= 0.98;
        }
    }

    private static boolean inside(double[] rgb) {
        return Math.min(rgb[0], Math.min(rgb[1], rgb[2])) >= 0 && Math.max(rgb[0], Math.max(rgb[1], rgb[2])) <= 1;
    }

    /** OKLab to linear sRGB: to the responses of the cones, which are cubed, then mixed. */
    private static double[] linear(double lightness, double a, double b) {
        double l = Math.pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
        double m = Math.pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
        double s = Math.pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
        return new double[] {
            4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s
        };
    }

    private static int channel(double linear) {
        double clipped = Math.min(1, Math.max(0, linear));
        double encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * Math.pow(clipped, 1 / 2.4) - 0.055;
        return (int) Math.round(255 * encoded);
    }
}
