// SPDX-License-Identifier: Apache-2.0
// The kernels of bfloat16 products, and the table of them for the Products of the given Tiles.
#pragma once

#include "simd/math-inl.h"

#include "kernel_table.h"
#include "kernels/attention/bf16-inl.h"
#include "kernels/linear/pairs-inl.h"

namespace {

template <typename Tiles>
constexpr attn4j::Bf16Kernels bf16_kernels(const attn4j::DecodeKernel* decode = nullptr,
                                           const attn4j::DecodeKernel* decode_bytes = nullptr) {
    return {bf16_attention_kernel<Tiles>(), pairs_linear_kernel<Tiles>(), Tiles::Products::flops, decode, decode_bytes};
}

}  // namespace
