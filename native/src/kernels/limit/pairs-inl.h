// SPDX-License-Identifier: Apache-2.0
// What a product of pairs can do at most, as limit-inl.h.
#pragma once

#include "kernels/tile-inl.h"

namespace {

// Register-only rounds of multiply(x, sums) and their FLOPs, `of_one` each: chains enough for four products a cycle.
template <typename Multiply>
ATTN4J_INLINE double pair_flops(int64_t rounds, double of_one, const Multiply& multiply) {
    constexpr int chains = 24;
    F32 a[chains];
    for (int i = 0; i < chains; ++i) a[i] = F32::set(static_cast<float>(i));
    Pairs x = Pairs::zero();
    for (int64_t round = 0; round < rounds; ++round) {
        // Not the same numbers each round, as far as the compiler knows.
        conceal(x);
#pragma GCC unroll 24
        for (int i = 0; i < chains; ++i) a[i] = multiply(x, a[i]);
    }
    F32 total = F32::zero();
    for (int i = 0; i < chains; ++i) total = total + a[i];
    volatile float sink = sum(total);
    (void)sink;
    return of_one * chains * static_cast<double>(rounds);
}

}  // namespace
