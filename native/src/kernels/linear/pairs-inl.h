// SPDX-License-Identifier: Apache-2.0
// The body of linear_bf16.h where the instruction set multiplies pairs of bfloat16. Lanes are rows, packed once; the
// weight is multiplied as it lies, but for what the units of the product do not divide, which is copied first. For
// fewer rows than lanes that of few_rows_out_in-inl.h, if the product has it.
#pragma once

#include "kernels/bf16/pack-inl.h"
#include "kernels/linear/finish_bf16-inl.h"

namespace {

// Features of a panel, whose sums (16 KiB at four vectors) stay in the first cache, and inputs of a block.
constexpr int64_t kPairFeatures = 64, kPairInputs = 512;

template <typename Tiles, int V>
inline void pairs_linear_rows(const Bf16LinearBlock& block) {
    using Products = typename Tiles::Products;
    constexpr int64_t width = V * F32::lanes;
    const int64_t inputs = round_up(block.in_features, kPairRow);
    float* const sums = block.workspace;
    uint16_t* const copy = reinterpret_cast<uint16_t*>(sums + kPairFeatures * width);  // [kPairFeatures][kPairInputs]
    uint16_t* const x = copy + kPairFeatures * kPairInputs;                            // [inputs / 2][width] pairs
    pack_rows<V>(block.x_type, block.x, block.x_stride, block.rows, block.in_features, inputs / 2, x);
    Products::template arrange<V>(x, inputs / 2);
    for (int64_t panel = 0; panel < block.out_features; panel += kPairFeatures) {
        const int64_t left = block.out_features - panel, features = left < kPairFeatures ? left : kPairFeatures;
        const int64_t rows = round_up(features, Products::row_unit);
        for (int64_t first = 0; first < block.in_features; first += kPairInputs) {
            const int64_t rest = block.in_features - first, n = rest < kPairInputs ? rest : kPairInputs;
            const int64_t pairs = round_up((n + 1) / 2, Products::pair_unit);
            const uint16_t* weight = block.weight + panel * block.weight_stride + first;
            int64_t stride = block.weight_stride;
            if (rows != features || 2 * pairs != n) {
                for (int64_t row = 0; row < rows; ++row)
                    for (int64_t c = 0; c < 2 * pairs; c += kPairRow) {
                        const int64_t some = row < features ? n - c : 0;
                        Pairs::load_first(weight + row * stride + c, some < kPairRow ? some : kPairRow)
                            .store(copy + row * kPairInputs + c);
                    }
                weight = copy;
                stride = kPairInputs;
            }
            Products::template multiply<V>(weight, stride, rows, x + first * width, pairs, sums, first > 0);
        }
        finish_panel<V>(block, sums, panel, features);
    }
}

template <typename Tiles>
inline void pairs_linear(const Bf16LinearBlock& block) {
    using Products = typename Tiles::Products;
    if constexpr (Products::few_rows) {
        if (block.rows < F32::lanes)
            return few_rows_bf16<typename Products::Cells>(
                block, [&](int64_t row, int64_t first, int64_t n, uint16_t* to) {
                    load_pairs(block.x_type, block.x, row * block.x_stride + first, n).store(to);
                });
    }
    Products::begin();
    with_vectors<Products::max_vectors>(
        block.rows, [&](auto vectors) { pairs_linear_rows<Tiles, decltype(vectors)::count>(block); });
    Products::end();
}

template <typename Tiles>
inline int64_t pairs_linear_workspace_floats(int64_t rows, int64_t in_features, int64_t out_features) {
    using Products = typename Tiles::Products;
    if (Products::few_rows && rows < F32::lanes) return few_rows_out_in_floats(out_features);
    return (kPairFeatures + round_up(in_features, kPairRow) / 2) * Products::max_vectors * F32::lanes +
           kPairFeatures * kPairInputs / 2;
}

template <typename Tiles>
constexpr attn4j::Bf16LinearKernel pairs_linear_kernel() {
    using Products = typename Tiles::Products;
    return {F32::lanes, Products::max_vectors * F32::lanes, Products::few_rows ? F32::lanes : 0,
            pairs_linear_workspace_floats<Tiles>, pairs_linear<Tiles>};
}

}  // namespace
