// SPDX-License-Identifier: Apache-2.0
// The BF16 extension, beside NEON: a register of two rows of four numbers by one of two lanes of four, four times the
// multiply-adds of float32.
#include "simd/neonbf16.h"

#include "isa/bf16-inl.h"
#include "kernels/bf16/blocks-inl.h"

namespace {

// 2 x 12 accumulators of 32 registers: rows are read as they lie and zipped by twos, so few of them, by many lanes.
struct Tiles {
    static constexpr int max_vectors = 6;
    static constexpr int rows(int vectors) { return vectors <= 2 ? 8 : 4; }
    static constexpr int64_t key_block = 128;
    using Products = BlockProducts<Tiles>;
};

}  // namespace

namespace attn4j {
constexpr Bf16Kernels neonbf16_table = bf16_kernels<Tiles>();
}  // namespace attn4j
