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

// Four streams side by side, which keep more of memory under way than one (14.4 against 12.7 GB/s on a core of a Xeon
// of 2023), of two chains each; what the hardware foresees is left to it, as software prefetch reads no faster.
inline float read_sum(const float* from, int64_t n) {
    constexpr int streams = 4, chains = 2;
    constexpr int64_t step = chains * F32::lanes;
    const int64_t part = n / (streams * step) * step;
    F32 a[streams * chains];
    for (F32& x : a) x = F32::zero();
    for (int64_t at = 0; at < part; at += step) {
#pragma GCC unroll 4
        for (int s = 0; s < streams; ++s)
#pragma GCC unroll 2
            for (int i = 0; i < chains; ++i)
                a[s * chains + i] = a[s * chains + i] + F32::load(from + s * part + at + i * F32::lanes);
    }
    F32 total = F32::zero();
    for (const F32 x : a) total = total + x;
    return sum(total);
}

}  // namespace
