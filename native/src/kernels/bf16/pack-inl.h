// SPDX-License-Identifier: Apache-2.0
// Rows as the lanes of pairs that kernels/bf16 multiplies by.
#pragma once

#include "kernels/elements-inl.h"

namespace {

constexpr int64_t kPairRow = 2 * Pairs::lanes;  // numbers of a vector of pairs

// Rows of bfloat16, `stride` numbers apart.
struct PairRows {
    const uint16_t* data;
    int64_t stride;
};

// n <= kPairRow consecutive elements, rounded to bfloat16, the others 0; n <= 0 reads nothing.
inline Pairs load_pairs(Element type, const void* base, int64_t offset, int64_t n) {
    if (type == Element::bf16) return Pairs::load_first(static_cast<const uint16_t*>(base) + offset, n);
    constexpr int64_t lanes = F32::lanes;
    F32 a = F32::zero(), b = F32::zero();
    if (n > 0) a = load_elements(type, base, offset, n < lanes ? n : lanes);
    if (n > lanes) b = load_elements(type, base, offset + lanes, n - lanes);
    unzip(a, b);
    return Pairs::narrow(a, b);
}

// to[pair][i] = (row i's number 2 pair, and the one after it), for V * lanes rows, 0 beyond the `count` there are and
// beyond their n numbers. `pairs`, those of a row of `to`, is a multiple of lanes.
template <int V>
inline void pack_rows(Element type, const void* base, int64_t stride, int64_t count, int64_t n, int64_t pairs,
                      uint16_t* to) {
    constexpr int64_t lanes = Pairs::lanes;
    for (int v = 0; v < V; ++v)
        for (int64_t pair = 0; pair < pairs; pair += lanes) {
            const int64_t left = n - 2 * pair;
            Pairs rows[lanes];
            for (int64_t i = 0; i < lanes; ++i) {
                const int64_t row = v * lanes + i;
                rows[i] = row < count
                              ? load_pairs(type, base, row * stride + 2 * pair, left < kPairRow ? left : kPairRow)
                              : Pairs::zero();
            }
            transpose(rows);
            for (int64_t i = 0; i < lanes; ++i) rows[i].store(to + 2 * ((pair + i) * V + v) * lanes);
        }
}

}  // namespace
