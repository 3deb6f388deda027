// SPDX-License-Identifier: Apache-2.0
// Infinities and NaN among values of bfloat16, which products of several keys at once must not meet: 0 times one of
// them is NaN, and not every row sees each key.
#pragma once

#include "kernels/decode/runs-inl.h"

namespace {

// n is a multiple of the lanes.
inline bool all_finite(const float* numbers, int64_t n) {
    Finite of;
    for (int64_t i = 0; i < n; i += F32::lanes) of.see(F32::load(numbers + i));
    return of.all();
}

// Adds what they make of weights [query_rows][stride] of n keys to out [query_rows][out_stride], value d at position(d);
// a weight of -0 does not see its key.
template <typename Position>
inline void add_infinite(const RowRuns& values, int64_t n, int64_t value_dim, const float* weights, int64_t stride,
                         int64_t query_rows, float* out, int64_t out_stride, const Position& position) {
    EachRow each(values, n);
    for (int64_t key = 0; key < n; ++key, each.next()) {
        const uint16_t* const of_key = reinterpret_cast<const uint16_t*>(each.at());
        for (int64_t d = 0; d < value_dim; ++d) {
            const uint16_t value = of_key[d];
            if ((value & 0x7f80) != 0x7f80) continue;
            const uint32_t bits = uint32_t{value} << 16;
            float number;
            __builtin_memcpy(&number, &bits, sizeof number);
            for (int64_t row = 0; row < query_rows; ++row) {
                const float weight = weights[row * stride + key];
                if (!__builtin_signbit(weight)) out[row * out_stride + position(d)] += weight * number;
            }
        }
    }
}

}  // namespace
