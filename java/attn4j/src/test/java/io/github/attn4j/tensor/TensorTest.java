// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import static io.github.attn4j.Expect.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TensorTest {
    private final TensorScope scope = TensorScope.open();

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void holdsWhatIsCopiedIn() {
        assertArrayEquals(new float[] {1, 2, 3}, scope.of(new float[] {1, 2, 3}, 3).toFloatArray());
        assertArrayEquals(new int[] {1, -2}, scope.of(new int[] {1, -2}, 2, 1).toIntArray());
        assertArrayEquals(new long[] {1L << 40}, scope.of(new long[] {1L << 40}).toLongArray());
        assertArrayEquals(new float[6], scope.zeros(DType.FLOAT32, 2, 3).toFloatArray());
        assertEquals(0, scope.zeros(DType.INT64, 2, 0).toLongArray().length);
    }

    @Test
    void copiesArraysLongerThanOneChunk() {
        float[] values = io.github.attn4j.Samples.normal(1, 1_000_003);
        assertArrayEquals(values, scope.of(values, values.length).toFloatArray());
    }

    @Test
    void viewsShareMemory() {
        Tensor tensor = scope.of(new float[] {0, 1, 2, 3, 4, 5}, 2, 3);
        assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, tensor.transpose(0, 1).toFloatArray());
        assertArrayEquals(new float[] {1, 2, 4, 5}, tensor.slice(1, 1, 3).toFloatArray());
        assertArrayEquals(new float[] {2, 5}, tensor.select(-1, 2).toFloatArray());
        assertEquals(4, tensor.transpose(0, 1).at(1, 1));
        tensor.transpose(0, 1).slice(0, 0, 2).copyFrom(new float[] {9, 8, 7, 6});
        assertArrayEquals(new float[] {9, 7, 2, 8, 6, 5}, tensor.toFloatArray());
        assertFalse(tensor.transpose(0, 1).isContiguous());
        assertTrue(tensor.slice(0, 1, 2).isContiguous());
        assertEquals(1, tensor.transpose(0, 1).stride(0));
    }

    @Test
    void copiesBetweenAnyStrides() {
        Tensor from = scope.of(new float[] {0, 1, 2, 3, 4, 5}, 2, 3);
        Tensor to = scope.zeros(DType.FLOAT32, 4, 3);
        to.slice(0, 1, 4).slice(1, 0, 2).copyFrom(from.transpose(0, 1));
        assertArrayEquals(new float[] {0, 0, 0, 0, 3, 0, 1, 4, 0, 2, 5, 0}, to.toFloatArray());
    }

    @Test
    void refusesWhatDoesNotFit() {
        Tensor tensor = scope.of(new float[] {0, 1, 2, 3, 4, 5}, 2, 3);
        refused("shape=[2, -1]", () -> scope.zeros(DType.FLOAT32, 2, -1));
        refused("must fit a long", () -> scope.zeros(DType.FLOAT32, 1L << 40, 1L << 40));
        refused("rank=9", () -> Shape.of(1, 1, 1, 1, 1, 1, 1, 1, 1));
        refused("length=5 elements=6", () -> tensor.copyFrom(new float[5]));
        refused("array=INT32 dtype=FLOAT32", () -> tensor.copyFrom(new int[6]));
        refused("from=1 to=4 size(1)=3", () -> tensor.slice(1, 1, 4));
        refused("dim=2 rank=2", () -> tensor.size(2));
        refused("index=3 size(1)=3", () -> tensor.at(0, 3));
        refused("(6) to=[5] (5)", () -> tensor.reshape(5));
        refused("only with a copy", () -> tensor.transpose(0, 1).reshape(6));
        refused("[0, 0]", () -> tensor.permute(0, 0));
        refused("must not overlap", () -> tensor.slice(1, 0, 2).copyFrom(tensor.slice(1, 1, 3)));
        refused("read-only", () -> tensor.asReadOnly().copyFrom(new float[6]));
        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, tensor.toFloatArray());
    }

    @Test
    void saysWhenMemoryIsShort() {
        OutOfMemoryError error = org.junit.jupiter.api.Assertions.assertThrows(OutOfMemoryError.class,
            () -> scope.zeros(DType.FLOAT32, 1L << 58));
        assertTrue(error.getMessage().contains("bytes=" + (1L << 60)), error::getMessage);
    }
}
