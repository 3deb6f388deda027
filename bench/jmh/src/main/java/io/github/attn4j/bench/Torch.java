// SPDX-License-Identifier: Apache-2.0
// PyTorch is told its number of threads and that all is inference, the mode its documentation advises for that. Where a
// CPU has tile registers (AMX), its bf16 attention called from a JVM dies of SIGILL at the first of their instructions;
// the scripts therefore set ONEDNN_MAX_CPU_ISA to the best instruction set below, AVX-512 with bf16.
package io.github.attn4j.bench;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** What the contenders on PyTorch share. Not thread-safe: the mode is that of the thread that made it. */
public final class Torch implements AutoCloseable {
    private final torch.ScalarType type;
    private final InferenceMode inference;

    /** Sets the threads of this process; tensors are of {@code type}, f32 or bf16. */
    public Torch(int threads, String type) {
        this.type = switch (type) {
            case "f32" -> torch.ScalarType.Float;
            case "bf16" -> torch.ScalarType.BFloat16;
            default -> throw new IllegalArgumentException("a type is f32 or bf16: type=" + type);
        };
        torch.set_num_threads(threads);
        inference = new InferenceMode();
    }

    /** {@return a tensor of its own memory with these numbers, rounded to the type} */
    public Tensor tensor(float[] values, long... shape) {
        try (FloatPointer copy = new FloatPointer(values);
                TensorOptions options = new TensorOptions(torch.ScalarType.Float);
                Tensor view = torch.from_blob(copy, shape, options);
                Tensor own = view.clone()) {
            return own.to(type);
        }
    }

    /** {@return all numbers of a tensor} */
    public float[] floats(Tensor tensor) {
        try (Tensor exact = tensor.to(torch.ScalarType.Float);
                Tensor rows = exact.contiguous()) {
            float[] values = new float[Math.toIntExact(rows.numel())];
            new FloatPointer(rows.data_ptr()).get(values);
            return values;
        }
    }

    /** {@return the largest difference from the definition that rounding inputs and output explains} */
    public double tolerance() {
        return Expected.tolerance(type == torch.ScalarType.Float ? "f32" : "bf16");
    }

    /** {@return version, instruction set and threads} */
    public String describe() {
        return "PyTorch " + Artifact.version("org.bytedeco", "pytorch") + ", "
                + torch.get_cpu_capability().getString() + ", threads=" + torch.get_num_threads() 
                + OneDnn.describe();
    }

    @Override
    public void close() {
        inference.close();
    }
}
