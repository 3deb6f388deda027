// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.attn4j.Attn4j;
import io.github.attn4j.Samples;
import io.github.attn4j.SteadyState;
import io.github.attn4j.tensor.DType;
import io.github.attn4j.tensor.Tensor;
import io.github.attn4j.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A batch that goes through the layers some entries at a time gives the bits of the whole batch. A forward that writes
 * weights takes the whole.
 */
class SlicedForwardTest {
    /** Slices of 26 and 25 entries, of at most 128 rows. */
    private static final int BATCH = 51, ROWS = 4;
    private static final int WIDTH = 12, HEADS = 3;

    private final TensorScope scope = TensorScope.open();
    private final Tensor x = Samples.normal(scope, 1, BATCH, ROWS, WIDTH);
    private final Tensor other = Samples.normal(scope, 2, BATCH, ROWS + 3, WIDTH);

    @AfterEach
    void close() {
        scope.close();
    }

    private static <B extends ModuleBuilder<B>> B small(B builder) {
        builder.sliceBytes = 1;
        return builder;
    }

    private MultiHeadAttention module() {
        return ModuleWeights.loaded(scope, small(MultiHeadAttention.builder(WIDTH, HEADS)).build(), 1);
    }

    private TorchMultiheadAttention.Builder torch() {
        return small(TorchMultiheadAttention.builder(WIDTH, HEADS));
    }

    private Tensor mask(long... sizes) {
        Tensor mask = scope.zeros(DType.BOOL, sizes);
        boolean[] values = new boolean[(int) mask.elements()];
        float[] normal = Samples.normal(5, values.length);
        for (int i = 0; i < values.length; i++) {
            values[i] = normal[i] > 0;
        }
        return scope.of(values, sizes);
    }

    private void expectWhole(ProjectedAttention module, ModuleInputs inputs) {
        assertArrayEquals(module.applyWithWeights(scope, inputs).out().toFloatArray(),
            module.apply(scope, inputs).toFloatArray());
    }

    private void expectWhole(TorchMultiheadAttention module, TorchInputs inputs) {
        assertArrayEquals(module.applyWithWeights(scope, inputs).out().toFloatArray(),
            module.apply(scope, inputs).toFloatArray());
    }

    @Test
    void entriesAreEven() {
        ModuleBuilder<?> options = torch().threads(1);
        assertEquals(26, Slices.entries(options, BATCH, ROWS, 1000));
        assertEquals(1, Slices.entries(options, BATCH, 128, 1000));
        assertEquals(128, Slices.entries(options, 128, 0, 0));
        assertEquals(0, Slices.entries(options, 0, 3, 1000));
        options.sliceBytes = 7 * 4000;
        assertEquals(6, Slices.entries(options, 12, 128, 1000));
        assertEquals(7, Slices.entries(options, 14, 128, 1000));
    }

    @Test
    void threadsTakeLargerSlices() {
        int before = Attn4j.threads();
        Attn4j.threads(2);
        try {
            ModuleBuilder<?> options = torch();
            options.sliceBytes = 4000;
            assertEquals(8, Slices.entries(options, 64, 128, 1000));
            assertEquals(8, Slices.entries(options.threads(5), 64, 128, 1000));
            assertEquals(1, Slices.entries(options.threads(1), 64, 128, 1000));
        } finally {
            Attn4j.threads(before);
        }
    }

    @Test
    void masks() {
        MultiHeadAttention module = module();
        int keys = ROWS + 3;
        for (Tensor mask : new Tensor[] {null, mask(ROWS, keys), mask(1, ROWS, keys), mask(BATCH, ROWS, keys),
            mask(BATCH, 1, 1, keys), mask(BATCH, HEADS, ROWS, keys), mask(1, HEADS, 1, keys)}) {
            expectWhole(module, ModuleInputs.of(x, other, other, null).mask(mask));
        }
    }

    @Test
    void normsRotationAndGates() {
        RotaryEmbedding rotary = RotaryEmbedding.builder(RotaryTables.builder(4).build(scope, 16)).build();
        for (Gating gating : Gating.values()) {
            GroupedQueryAttention module = ModuleWeights.loaded(scope, small(GroupedQueryAttention.builder(WIDTH, HEADS,
                1)).causal().rotary(rotary).queryKeyNorm(1e-6).gating(gating).build(), 1);
            expectWhole(module, ModuleInputs.of(x, null));
            expectWhole(module, ModuleInputs.of(x, null).positions(scope.of(new long[] {3, 1, 4, 1}, 1, ROWS)));
        }
        expectWhole(ModuleWeights.loaded(scope, small(SelfAttention.builder(WIDTH)).build(), 1),
            ModuleInputs.of(x, null));
    }

    @Test
    void torchMasksAndAddedRows() {
        int keys = ROWS + 3;
        Tensor padding = mask(BATCH, keys);
        Tensor added = Samples.normal(scope, 3, BATCH * HEADS, ROWS, keys);
        for (TorchMultiheadAttention.Builder builder : new TorchMultiheadAttention.Builder[] {torch(),
            torch().addBiasKv().addZeroAttn()}) {
            TorchMultiheadAttention module = ModuleWeights.loaded(scope, builder.batchFirst().build(), 1);
            TorchInputs inputs = TorchInputs.of(x, other, other, null).isCausal(true);
            expectWhole(module, inputs);
            expectWhole(module, inputs.keyPaddingMask(padding));
            expectWhole(module, inputs.attnMask(added));
            expectWhole(module, inputs.keyPaddingMask(null));
            expectWhole(module, TorchInputs.of(x, x, x, null));
        }
        TorchMultiheadAttention wide = ModuleWeights.loaded(scope, torch().kdim(5).batchFirst().build(), 1);
        expectWhole(wide, TorchInputs.of(x, Samples.normal(scope, 4, BATCH, 9, 5),
            Samples.normal(scope, 4, BATCH, 9, WIDTH), null));
    }

    /** One entry at a time if it is long, else all. */
    @Test
    void sequenceFirst() {
        TorchMultiheadAttention module = ModuleWeights.loaded(scope, torch().build(), 1);
        for (int rows : new int[] {ROWS, 130}) {
            Tensor query = Samples.normal(scope, 1, rows, 5, WIDTH);
            Tensor key = Samples.normal(scope, 2, rows + 1, 5, WIDTH);
            expectWhole(module, TorchInputs.of(query, key, key, null).keyPaddingMask(mask(5, rows + 1)));
            expectWhole(module, TorchInputs.of(query, query, query, null));
        }
    }

    @Test
    void rowsAtSomeDistance() {
        Tensor apart = Samples.normal(scope, 1, BATCH, ROWS, WIDTH + 3).slice(2, 1, WIDTH + 1);
        expectWhole(module(), ModuleInputs.of(apart, null));
        Tensor single = Samples.normal(scope, 1, 300, 1, WIDTH + 3).slice(2, 1, WIDTH + 1);
        expectWhole(module(), ModuleInputs.of(single, null));
    }

    /** Draws depend on the number of the entry in the batch. */
    @Test
    void dropout() {
        MultiHeadAttention module = ModuleWeights.loaded(scope,
            small(MultiHeadAttention.builder(WIDTH, HEADS)).dropout(0.5).build(), 1);
        module.train();
        expectWhole(module, ModuleInputs.of(x, null).seed(3));
        TorchMultiheadAttention torch = ModuleWeights.loaded(scope, torch().dropout(0.5).batchFirst().build(), 1);
        torch.train();
        expectWhole(torch, TorchInputs.of(x, x, x, null).seed(3));
    }

    /** Where each entry's out is the next one's query, or mask, all are projected before any is written. */
    @Test
    void outOverwritesInputs() {
        MultiHeadAttention module = module();
        TorchMultiheadAttention torch = ModuleWeights.loaded(scope, torch().batchFirst().build(), 1);
        float[] expected = module.apply(scope, ModuleInputs.of(x, null)).toFloatArray();
        float[] torchExpected = torch.apply(scope, x, x, x).toFloatArray();
        for (int shift : new int[] {0, 1}) {
            Tensor memory = scope.zeros(DType.FLOAT32, BATCH + 1, ROWS, WIDTH);
            Tensor query = memory.slice(0, 0, BATCH).copyFrom(x);
            Tensor out = memory.slice(0, shift, BATCH + shift);
            module.run(ModuleInputs.of(query, out));
            assertArrayEquals(expected, out.toFloatArray());
            query.copyFrom(x);
            torch.run(TorchInputs.of(query, query, query, out));
            assertArrayEquals(torchExpected, out.toFloatArray());
        }
        Tensor memory = Samples.normal(scope, 6, BATCH + 1, ROWS, WIDTH);
        Tensor bias = memory.slice(0, 0, BATCH).reshape(BATCH * HEADS, ROWS, ROWS);
        torchExpected = torch.apply(scope, TorchInputs.of(x, x, x, null).attnMask(bias)).toFloatArray();
        Tensor out = memory.slice(0, 1, BATCH + 1);
        torch.run(TorchInputs.of(x, x, x, out).attnMask(bias));
        assertArrayEquals(torchExpected, out.toFloatArray());
    }

    /** With fewer entries at the end, with masks of each entry, and after other sizes. */
    @Test
    void allocatesNothing() {
        Tensor out = scope.zeros(DType.FLOAT32, BATCH, ROWS, WIDTH);
        MultiHeadAttention module = module();
        TorchMultiheadAttention torch = ModuleWeights.loaded(scope, torch().addZeroAttn().batchFirst().build(), 1);
        ModuleInputs inputs = ModuleInputs.of(x, out).mask(mask(BATCH, 1, ROWS, ROWS));
        TorchInputs torchInputs = TorchInputs.of(x, x, x, out).keyPaddingMask(mask(BATCH, ROWS))
            .attnMask(Samples.normal(scope, 3, BATCH * HEADS, ROWS, ROWS));
        try (Forward forward = module.plan(1, ROWS, ROWS); TorchForward torchForward = torch.plan(1, ROWS, ROWS)) {
            SteadyState.assertAllocatesNothing(() -> forward.run(inputs));
            SteadyState.assertAllocatesNothing(() -> torchForward.run(torchInputs));
        }
    }
}
