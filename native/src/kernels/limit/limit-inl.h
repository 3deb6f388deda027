// SPDX-License-Identifier: Apache-2.0
// What the multiply-add units can do at most, independent accumulators and no memory; and what can be read at most, one
// addition a vector and no more. The yardsticks of the benchmark.
#pragma once

#include <cstdint>

namespace {

// Twelve chains hide a latency of up to six cycles at two multiply-adds a cycle, and fit sixteen registers.
inline double fma_flops(int64_t rounds) {
    constexpr int chains = 12;
    F32 a[chains];
    for (int i = 0; i < chains; ++i) a[i] = F32::set(static_cast<float>(i));
    // One volatile value each, so that nothing is folded; |x| < 1 keeps the sums finite.
    volatile float opaque_x = 0.5f, opaque_y = 0.25f;
    const F32 x = F32::set(opaque_x), y = F32::set(opaque_y);
    for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (int i = 0; i < chains; ++i) a[i] = fma(a[i], x, y);
    }
    F32 total = F32::zero();
    for (int i = 0; i < chains; ++i) total = total + a[i];
    volatile float sink = sum(total);
    (void)sink;
    return 2.0 * F32::lanes * chains * static_cast<double>(rounds);
}

// Eight chains: more than enough for any memory, and what the hardware foresees is left to it (streams side by side and
// software prefetch read no faster).
inline float read_sum(const float* from, int64_t n) {
    constexpr int chains = 8;
    constexpr int64_t step = chains * F32::lanes;
    F32 a[chains];
    for (int i = 0; i < chains; ++i) a[i] = F32::zero();
    for (int64_t at = 0; at + step <= n; at += step) {
#pragma GCC unroll 8
        for (int i = 0; i < chains; ++i) a[i] = a[i] + F32::load(from + at + i * F32::lanes);
    }
    F32 total = F32::zero();
    for (int i = 0; i < chains; ++i) total = total + a[i];
    return sum(total);
}

}  // namespace
