// SPDX-License-Identifier: Apache-2.0
// The body of pool.h, written once over the vector type.
#pragma once

#include "kernels/pool/pool.h"
#include "kernels/squares-inl.h"

namespace {

inline void mean_pool(const attn4j::MeanPool& w) {
    const F32 share = F32::set(w.rows == 0 ? 0.0f : 1.0f / static_cast<float>(w.rows));
    for (int64_t c = 0; c < w.width; c += F32::lanes) {
        const int64_t n = w.width - c < F32::lanes ? w.width - c : F32::lanes;
        F32 total = F32::zero();
        for (int64_t row = 0; row < w.rows; ++row) total = total + F32::load_first(w.x + row * w.x_stride + c, n);
        (total * share).store_first(w.out + c, n);
    }
}

inline void normalize(const attn4j::Normalize& w) {
    for (int64_t row = 0; row < w.rows; ++row) {
        const float* x = w.x + row * w.x_stride;
        float* out = w.out + row * w.out_stride;
        // The limit comes first: a NaN length stays NaN.
        const F32 length = max(F32::set(w.epsilon), sqrt(F32::set(sum_of_squares(x, w.width))));
        const F32 inverse = F32::set(1.0f) / length;
        for (int64_t c = 0; c < w.width; c += F32::lanes) {
            const int64_t n = w.width - c < F32::lanes ? w.width - c : F32::lanes;
            (F32::load_first(x + c, n) * inverse).store_first(out + c, n);
        }
    }
}

}  // namespace
