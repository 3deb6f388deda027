// SPDX-License-Identifier: Apache-2.0
// Plain C++, for every CPU.
#include "simd/scalar.h"

#include "isa/kernels-inl.h"

namespace {

// Four keys a tile: the accumulators fit any register file.
struct Tiles {
    static constexpr int max_vectors = 2;
    static constexpr int rows(int) { return 4; }
    static constexpr int linear_vectors = 2;
    static constexpr int64_t input_block = 256;
    static constexpr int64_t key_block = 64;
    static constexpr int64_t most_decode_queries = 16;
    static constexpr int64_t most_small_rows = 0;
};

}  // namespace

namespace attn4j {
constexpr KernelTable scalar_table = kernel_table<Tiles>();
}  // namespace attn4j
