// SPDX-License-Identifier: Apache-2.0
// Keys and values of bfloat16 as the product of kernels/bf16 takes them: keys as they lie, values as pairs of keys, a
// row for each dimension.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/bf16/pack-inl.h"

namespace {

// Keys [first, first + n): where they lie if the units of the product divide them, else their copy in `buffer`, with
// zeros around them.
template <typename Products>
inline PairRows key_rows(const AttentionBlock& block, int64_t first, int64_t n, uint16_t* buffer) {
    const uint16_t* const k = static_cast<const uint16_t*>(block.k.data) + first * block.k.stride;
    if (block.head_dim % (2 * Products::pair_unit) == 0 && n % Products::row_unit == 0) return {k, block.k.stride};
    const int64_t stride = round_up(block.head_dim, kPairRow);
    for (int64_t row = 0; row < round_up(n, Products::row_unit); ++row)
        for (int64_t c = 0; c < stride; c += kPairRow) {
            const int64_t left = row < n ? block.head_dim - c : 0;
            Pairs::load_first(k + row * block.k.stride + c, left < kPairRow ? left : kPairRow)
                .store(buffer + row * stride + c);
        }
    return {buffer, stride};
}

// Pair i of row d of `to` is (v[first + 2 i][d], v[first + 2 i + 1][d]), 0 beyond the n keys and beyond valueDim, to
// whole multiples of 2 * lanes keys and of 16 dimensions. An infinity or a NaN becomes 0: 0 * NaN is NaN, and not every
// query of a block sees each key. Returns whether there were none.
inline bool pack_values(const AttentionBlock& block, int64_t first, int64_t n, uint16_t* to, int64_t stride) {
    const uint16_t* const v = static_cast<const uint16_t*>(block.v.data) + first * block.v.stride;
    const int64_t dims = round_up(block.value_dim, 16);
    Largest largest = Largest::none();
    for (int64_t key = 0; key < n; key += kPairRow)
        for (int64_t d = 0; d < dims; d += 8) {
            Pairs rows[8];
            if (n - key >= kPairRow && block.value_dim - d >= 8) {
                transpose_pairs(v + key * block.v.stride + d, block.v.stride, rows);
            } else {
                uint16_t part[kPairRow * 8] = {};
                for (int64_t j = 0; j < kPairRow && key + j < n; ++j)
                    for (int64_t c = 0; c < 8 && d + c < block.value_dim; ++c)
                        part[j * 8 + c] = v[(key + j) * block.v.stride + d + c];
                transpose_pairs(part, 8, rows);
            }
            for (int64_t c = 0; c < 8; ++c) {
                largest.see(rows[c]);
                rows[c].store(to + (d + c) * stride + key);
            }
        }
    if (!largest.infinite()) return true;
    for (int64_t d = 0; d < dims; ++d)
        for (int64_t key = 0; key < n; key += kPairRow)
            finite_or_zero(Pairs::load(to + d * stride + key)).store(to + d * stride + key);
    return false;
}

}  // namespace
