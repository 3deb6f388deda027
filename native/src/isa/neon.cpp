// SPDX-License-Identifier: Apache-2.0
// AArch64 NEON: thirty-two registers.
#include "simd/neon.h"

#include "isa/kernels-inl.h"

namespace {

// 8 x 3 accumulators of 32 registers.
struct Tiles {
    static constexpr int max_vectors = 3;
    static constexpr int rows(int) { return 8; }
    static constexpr int linear_vectors = 3;
    static constexpr int64_t input_block = 256;
    static constexpr int64_t key_block = 64;
    static constexpr int64_t most_decode_queries = 3;
    static constexpr int64_t most_small_rows = 8;
};

}  // namespace

namespace attn4j {
constexpr KernelTable neon_table = kernel_table<Tiles>();
}  // namespace attn4j
