// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.bench.module;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.transformer.ScaledDotProductAttentionBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.attn4j.bench.Contender;
import io.github.attn4j.bench.OneDnn;
import java.util.Arrays;
import java.util.List;

/** DJL's ScaledDotProductAttentionBlock on its PyTorch engine, without training. */
public final class DjlModule implements Contender {
    private static final String ENGINE = "PyTorch";
    private static final List<String> PROJECTIONS = List.of("query", "key", "value");

    private final NDManager manager;
    private final ScaledDotProductAttentionBlock block;
    private final ParameterStore parameters;
    private final NDList input;
    private final int threads;
    private NDList result;

    /** Copies the weights. */
    public DjlModule(ModuleOperands in) {
        threads = in.threads();
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
        ModuleShape s = in.shape();
        manager = NDManager.newBaseManager(null, ENGINE);
        block = ScaledDotProductAttentionBlock.builder().setEmbeddingSize(s.width()).setHeadCount(s.heads()).build();
        Shape rows = new Shape(s.batch(), s.rows(), s.width());
        block.initialize(manager, DataType.FLOAT32, rows);
        PairList<String, Block> children = block.getChildren();
        for (int i = 0; i < children.size(); i++) {
            load(children.keyAt(i), children.valueAt(i), in);
        }
        parameters = new ParameterStore(manager, false);
        input = new NDList(manager.create(in.x(), rows));
    }

    private static void load(String name, Block projection, ModuleOperands in) {
        int width = in.shape().width();
        for (int part = 0; part < PROJECTIONS.size(); part++) {
            if (name.toLowerCase().contains(PROJECTIONS.get(part))) {
                int from = part * width;
                set(projection, Arrays.copyOfRange(in.inWeight(), from * width, (from + width) * width),
                        Arrays.copyOfRange(in.inBias(), from, from + width));
                return;
            }
        }
        set(projection, in.outWeight(), in.outBias());
    }

    private static void set(Block projection, float[] weight, float[] bias) {
        for (Parameter parameter : projection.getDirectParameters().values()) {
            parameter.getArray().set(parameter.getType() == Parameter.Type.BIAS ? bias : weight);
        }
    }

    @Override
    public void run() {
        if (result != null) {
            result.close();
        }
        // Intermediate arrays belong to the input's manager until that is closed.
        try (NDManager turn = manager.newSubManager()) {
            NDArray x = input.singletonOrThrow();
            x.attach(turn);
            result = block.forward(parameters, new NDList(x), false);
            result.attach(manager);
            x.attach(manager);
        }
    }

    @Override
    public float[] output() {
        return result.singletonOrThrow().toFloatArray();
    }

    @Override
    public String describe() {
        return "DJL " + Engine.getDjlVersion() + " on PyTorch " + manager.getEngine().getVersion()
                + ", instruction set of its own choice" + OneDnn.describe() + ", threads=" + threads
                + ", ScaledDotProductAttentionBlock";
    }

    @Override
    public void close() {
        manager.close();
    }
}
