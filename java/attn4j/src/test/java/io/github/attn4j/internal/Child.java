// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.internal;

import io.github.attn4j.Attn4j;
import io.github.attn4j.attention.Attention;
import io.github.attn4j.nn.Linear;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** What the other JVM runs: first our own kernels, then OpenBLAS. */
final class Child {
    private Child() {}

    public static void main(String[] arguments) {
        System.out.println("threads=" + Attn4j.threads());
        try (TensorScope scope = TensorScope.open()) {
            Tensor one = scope.of(new float[] {1}, 1, 1, 1, 1);
            System.out.println("attention=" + Attention.builder().build().apply(scope, one, one, one).at(0, 0, 0, 0));
            Native.attn4j_gemm_set(Native.ATTN4J_GEMM_OPENBLAS);
            Tensor x = scope.of(new float[] {1, 2}, 1, 2);
            Tensor weight = scope.of(new float[] {1, 1}, 1, 2);
            System.out.println("linear=" + Linear.builder(weight).build().apply(scope, x).at(0, 0));
        }
    }
}
