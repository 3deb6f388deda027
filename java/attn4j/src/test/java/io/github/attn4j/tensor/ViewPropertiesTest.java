// SPDX-License-Identifier: Apache-2.0
package io.github.attn4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class ViewPropertiesTest {
    /** A chain of views gives the elements that index arithmetic gives. */
    @Property(tries = 300)
    void viewsSelectTheElementsTheySay(@ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 4) Integer> sizes,
                                       @ForAll long seed) {
        Random random = new Random(seed);
        try (TensorScope scope = TensorScope.open()) {
            Model model = Model.counting(sizes);
            Tensor tensor = scope.of(model.values(), model.sizes());
            for (int step = 0; step < 4; step++) {
                int a = random.nextInt(tensor.rank());
                int b = random.nextInt(tensor.rank());
                long from = random.nextInt((int) tensor.size(a));
                long to = from + 1 + random.nextInt((int) (tensor.size(a) - from));
                if (random.nextBoolean()) {
                    tensor = tensor.transpose(a, b);
                    model = model.transpose(a, b);
                } else {
                    tensor = tensor.slice(a, from, to);
                    model = model.slice(a, (int) from, (int) to);
                }
                assertArrayEquals(model.sizes(), tensor.shape().toArray());
                assertArrayEquals(model.values(), tensor.toFloatArray());
            }
        }
    }

    /**
     * A reshape either keeps the order of the elements or says that it would need a copy; of a contiguous tensor, the
     * first.
     */
    @Property(tries = 500)
    void reshapeKeepsTheOrder(@ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 4) Integer> sizes,
                              @ForAll long seed) {
        Random random = new Random(seed);
        try (TensorScope scope = TensorScope.open()) {
            Model model = Model.counting(sizes);
            Tensor tensor = scope.of(model.values(), model.sizes());
            int a = random.nextInt(tensor.rank());
            int b = random.nextInt(tensor.rank());
            boolean contiguous = random.nextBoolean();
            Tensor source = contiguous ? tensor : tensor.transpose(a, b).slice(b, 0, (tensor.size(a) + 1) / 2);
            long[] target = refactor(source.elements(), random);
            Tensor reshaped;
            try {
                reshaped = source.reshape(target);
            } catch (IllegalArgumentException e) {
                assertEquals(false, contiguous);
                return;
            }
            assertArrayEquals(target, reshaped.shape().toArray());
            assertArrayEquals(source.toFloatArray(), reshaped.toFloatArray());
        }
    }

    /** Some sizes with this product. */
    private static long[] refactor(long elements, Random random) {
        long[] sizes = new long[1 + random.nextInt(5)];
        Arrays.fill(sizes, 1);
        long rest = elements;
        for (long prime = 2; rest > 1; prime++) {
            for (; rest % prime == 0; rest /= prime) {
                sizes[random.nextInt(sizes.length)] *= prime;
            }
        }
        return sizes;
    }

    /** A tensor as a function from index to value. */
    private record Model(long[] sizes, float[] values) {
        static Model counting(List<Integer> sizes) {
            long[] copy = sizes.stream().mapToLong(Integer::longValue).toArray();
            float[] values = new float[(int) Shape.of(copy).elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = i;
            }
            return new Model(copy, values);
        }

        Model transpose(int a, int b) {
            long[] swapped = sizes.clone();
            swapped[a] = sizes[b];
            swapped[b] = sizes[a];
            return map(swapped, index -> {
                int at = index[a];
                index[a] = index[b];
                index[b] = at;
            });
        }

        Model slice(int dim, int from, int to) {
            long[] cut = sizes.clone();
            cut[dim] = to - from;
            return map(cut, index -> index[dim] += from);
        }

        private Model map(long[] target, java.util.function.Consumer<int[]> toSource) {
            float[] mapped = new float[(int) Shape.of(target).elements()];
            for (int flat = 0; flat < mapped.length; flat++) {
                int[] index = new int[target.length];
                for (int d = target.length - 1, rest = flat; d >= 0; d--) {
                    index[d] = (int) (rest % target[d]);
                    rest /= (int) target[d];
                }
                toSource.accept(index);
                int source = 0;
                for (int d = 0; d < sizes.length; d++) {
                    source = source * (int) sizes[d] + index[d];
                }
                mapped[flat] = values[source];
            }
            return new Model(target, mapped);
        }
    }
}
