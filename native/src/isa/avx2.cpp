// SPDX-License-Identifier: Apache-2.0
// AVX2 with FMA and F16C: sixteen registers.
#include "simd/avx2.h"

#include "isa/kernels-inl.h"

namespace {

// 4 x 3 accumulators, 3 query vectors and a broadcast fill the sixteen registers, and 4 divides common head sizes.
struct Tiles {
    static constexpr int max_vectors = 3;
    static constexpr int rows(int vectors) { return vectors == 1 ? 8 : 4; }
    static constexpr int linear_vectors = 3;
    static constexpr int64_t input_block = 256;
    static constexpr int64_t key_block = 128;
    static constexpr int64_t most_decode_queries = 6;
    static constexpr int64_t most_small_rows = 16;
};

}  // namespace

namespace attn4j {
constexpr KernelTable avx2_table = kernel_table<Tiles>();
}  // namespace attn4j
