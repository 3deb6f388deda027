// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench;

import io.github.attn4j.Attn4j;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;

/** What the contenders on attn4j share: tensors in each storage type. */
public final class Attn4jTypes {
    private Attn4jTypes() {}

    /** {@return a tensor with these numbers, rounded to {@code type}} */
    public static Tensor tensor(TensorScope scope, DType type, float[] values, long... shape) {
        Tensor exact = scope.of(values, shape);
        return type == DType.FLOAT32 ? exact : exact.cast(scope, type);
    }

    /** {@return the storage type of a contender's name, such as attn4j-bf16} */
    public static DType named(String contender) {
        return switch (contender.substring(contender.lastIndexOf('-') + 1)) {
            case "f32" -> DType.FLOAT32;
            case "bf16" -> DType.BFLOAT16;
            case "f16" -> DType.FLOAT16;
            default -> throw new IllegalArgumentException(
                    "a contender's name ends in f32, bf16 or f16: contender=" + contender);
        };
    }

    /** {@return the storage type as contenders' names end in} */
    static String name(DType type) {
        return switch (type) {
            case FLOAT32 -> "f32";
            case FLOAT16 -> "f16";
            case BFLOAT16 -> "bf16";
            default -> throw new IllegalArgumentException("contenders store f32, f16 or bf16: type=" + type);
        };
    }

    /** {@return the library, its instruction set and the size of its pool} */
    public static String describe() {
        return "attn4j " + Attn4j.version() + ", " + Attn4j.isa() + ", threads=" + Attn4j.threads();
    }
}
