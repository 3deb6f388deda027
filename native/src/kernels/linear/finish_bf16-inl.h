// SPDX-License-Identifier: Apache-2.0
// What follows the sums of a linear layer with a weight of bfloat16.
#pragma once

#include "kernels/elements-inl.h"
#include "kernels/linear/few_rows_out_in-inl.h"
#include "kernels/linear/linear_bf16.h"
#include "kernels/pointwise/pointwise-inl.h"

namespace {

using attn4j::Bf16LinearBlock;

// Takes the sums y of n features of a row, from o on.
inline void finish_bf16(const Bf16LinearBlock& block, int64_t row, int64_t o, int64_t n, F32 y) {
    if (block.bias != nullptr) y = y + load_some(block.bias + o, n);
    if (block.gelu) y = gelu(y);
    if (block.residual != nullptr) y = y + load_some(block.residual + row * block.residual_stride + o, n);
    store_elements(block.out_type, y, block.out, row * block.out_stride + o, n);
}

// Takes a panel's transposed sums [features, up to a multiple of lanes][V * lanes]: of `rows` rows from `row` on and of
// features from `first` on.
template <int V>
inline void finish_panel(const Bf16LinearBlock& block, const float* sums, int64_t row, int64_t rows, int64_t first,
                         int64_t features) {
    F32 one[V];
    for (int v = 0; v < V; ++v) one[v] = F32::set(1.0f);
    transpose_out(sums, rows, features, one, [&](int64_t i, int64_t feature, int64_t n, F32 y) {
        finish_bf16(block, row + i, first + feature, n, y);
    });
}

// All of it for fewer rows than lanes; take() as in few_rows_out_in-inl.h.
template <typename Weight, typename Take>
inline void few_rows_bf16(const Bf16LinearBlock& block, const Take& take) {
    few_rows_out_in<Weight, F32::lanes - 1>(
        FewRows<Weight>{block.weight, block.weight_stride, block.in_features, block.out_features, block.workspace},
        block.rows, take, [&](int64_t row, int64_t o, int64_t n, F32 y) { finish_bf16(block, row, o, n, y); });
}

}  // namespace
