// SPDX-License-Identifier: Apache-2.0
// The body of merge.h, written once over the vector type: weights with lanes of rows, results with lanes of columns.
#pragma once

#include "kernels/merge/merge.h"
#include "kernels/tile-inl.h"
#include "simd/math-inl.h"

namespace {

// exp(lse - origin) where origin is the largest of its row. The limit comes first: a NaN stays, whatever the origin
// became.
inline F32 share_of(F32 lse, F32 origin) { return exp2(min(F32::zero(), (lse - origin) * F32::set(1.44269504f))); }

// out = weight * from, or out += weight * from
template <bool kFirst>
inline void add_weighted(float* out, const float* from, F32 weight, int64_t width) {
    for (int64_t c = 0; c < width; c += F32::lanes) {
        const int64_t n = width - c < F32::lanes ? width - c : F32::lanes;
        const F32 x = load_some(from + c, n);
        store_some(kFirst ? weight * x : fma(weight, x, load_some(out + c, n)), out + c, n);
    }
}

inline void fill_zero(float* out, int64_t width) {
    for (int64_t c = 0; c < width; c += F32::lanes)
        store_some(F32::zero(), out + c, width - c < F32::lanes ? width - c : F32::lanes);
}

inline F32 sinks_of(const attn4j::Merge& w, int64_t row, int64_t n) {
    if (w.sinks == nullptr) return F32::set(-__builtin_inff());
    float sinks[F32::lanes];
    for (int64_t i = 0; i < n; ++i) sinks[i] = w.sinks[(row + i) / w.queries % w.heads];
    return load_some(sinks, n);
}

inline void merge(const attn4j::Merge& w) {
    const F32 hidden = F32::set(-__builtin_inff());
    const int64_t end = w.first_row + w.rows;
    for (int64_t row = w.first_row; row < end; row += F32::lanes) {
        const int64_t n = end - row < F32::lanes ? end - row : F32::lanes;
        const F32 sink = sinks_of(w, row, n);
        F32 most = sink;
        for (int64_t p = 0; p < w.count; ++p) most = max(most, load_some(w.lses[p] + row, n));
        const F32 origin = select(most == hidden, F32::zero(), most);
        F32 total = share_of(sink, origin);
        for (int64_t p = 0; p < w.count; ++p) total = total + share_of(load_some(w.lses[p] + row, n), origin);
        const Mask nothing = total == F32::zero();
        const F32 divisor = select(nothing, F32::set(1.0f), total);
        for (int64_t p = 0; p < w.count; ++p) {
            float weights[F32::lanes];
            (share_of(load_some(w.lses[p] + row, n), origin) / divisor).store(weights);
            for (int64_t i = 0; i < n; ++i) {
                float* out = w.out + (row + i) * w.out_stride;
                const float* from = w.outs[p] + (row + i) * w.out_strides[p];
                // A weight that has merely become 0 still lets a NaN through.
                const bool unseen = weights[i] == 0 && w.lses[p][row + i] == -__builtin_inff();
                if (p == 0) {
                    unseen ? fill_zero(out, w.width) : add_weighted<true>(out, from, F32::set(weights[i]), w.width);
                } else if (!unseen) {
                    add_weighted<false>(out, from, F32::set(weights[i]), w.width);
                }
            }
        }
        for (int64_t i = 0; i < n && w.count == 0; ++i) fill_zero(w.out + (row + i) * w.out_stride, w.width);
        if (w.lse != nullptr) {
            const F32 lse = select(nothing, hidden, origin + log(divisor));
            // log knows no NaN.
            store_some(select(total == total, lse, total), w.lse + row, n);
        }
    }
}

}  // namespace
