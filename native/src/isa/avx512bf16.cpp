// SPDX-License-Identifier: Apache-2.0
// AVX512-BF16 and AVX512-VNNI, beside AVX-512: two multiply-adds of bfloat16 a lane, four of bytes.
#include "simd/avx512vnni.h"

#include "isa/bf16-inl.h"
#include "kernels/bf16/pairs-inl.h"
#include "kernels/decode/bytes-inl.h"
#include "kernels/decode/pairs-inl.h"

namespace {

// As in avx512.cpp: 8 x 3 accumulators of 32 registers.
struct Tiles {
    static constexpr int max_vectors = 3;
    static constexpr int rows(int vectors) { return vectors == 1 ? 16 : 8; }
    static constexpr int64_t key_block = 128;
    using Products = PairProducts<Tiles>;
};

constexpr attn4j::DecodeKernel decode_kernel_of_pairs = pairs_decode_kernel(12);
constexpr attn4j::DecodeKernel decode_kernel_of_bytes = bytes_decode_kernel(12);

}  // namespace

namespace attn4j {
constexpr Bf16Kernels avx512bf16_table = bf16_kernels<Tiles>(&decode_kernel_of_pairs, &decode_kernel_of_bytes);
}  // namespace attn4j
