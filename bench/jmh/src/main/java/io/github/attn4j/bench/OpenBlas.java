// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import io.github.attn4j.Attn4j;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** OpenBLAS through its JavaCPP preset, as Java programs use it; the preset has no call for the core it chose. */
public final class OpenBlas {
    private OpenBlas() {}

    /** Sets the threads of this process. */
    public static void threads(int threads) {
        openblas_nolapack.blas_set_num_threads(threads);
    }

    /** c [rows, columns] = scale * a [rows, inner] b, b [columns, inner] if transposed, else [inner, columns]. */
    public static void multiply(boolean transposed, int rows, int columns, int inner, float scale, FloatPointer a,
            FloatPointer b, FloatPointer c) {
        openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor, openblas_nolapack.CblasNoTrans,
                transposed ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans, rows, columns, inner,
                scale, a, inner, b, transposed ? inner : columns, 0, c, columns);
    }

    /** {@return version, build and core as OpenBLAS names them, and threads} */
    public static String describe() {
        return "JavaCPP's " + Artifact.version("org.bytedeco", "openblas") + " of " + Attn4j.openBlas() + ", threads="
                + openblas_nolapack.blas_get_num_threads();
    }
}
