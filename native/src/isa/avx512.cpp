// SPDX-License-Identifier: Apache-2.0
// AVX-512 F, DQ, BW, VL: thirty-two registers.
#include "simd/avx512.h"

#include "isa/kernels-inl.h"

namespace {

// 8 x 3 accumulators of 32 registers.
struct Tiles {
    static constexpr int max_vectors = 3;
    static constexpr int rows(int vectors) { return vectors == 1 ? 16 : 8; }
    static constexpr int64_t input_block = 128;
    static constexpr int64_t key_block = 96;
    static constexpr int64_t most_decode_queries = 12;
    static constexpr int64_t most_small_rows = 32;
};

}  // namespace

namespace attn4j {
constexpr KernelTable avx512_table = kernel_table<Tiles>();
}  // namespace attn4j
