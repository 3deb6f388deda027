// SPDX-License-Identifier: Apache-2.0
// AVX-512 F, DQ, BW, VL: thirty-two registers.
#include "simd/avx512.h"

#include "isa/kernels-inl.h"

namespace {

// 8 x 3 accumulators of 32 registers. Linear layers, whose strips come from the second cache, take 6 x 4, which load
// less for a multiply-add, and all inputs of a chunk at once: 4 to 8 % faster than 128 inputs of 8 x 3.
struct Tiles {
    static constexpr int max_vectors = 3;
    static constexpr int rows(int vectors) { return vectors == 1 ? 16 : vectors == 4 ? 6 : 8; }
    static constexpr int linear_vectors = 4;
    static constexpr int64_t input_block = 768;
    static constexpr int64_t key_block = 96;
    static constexpr int64_t most_decode_queries = 12;
    static constexpr int64_t most_small_rows = 32;
};

}  // namespace

namespace attn4j {
constexpr KernelTable avx512_table = kernel_table<Tiles>();
}  // namespace attn4j
