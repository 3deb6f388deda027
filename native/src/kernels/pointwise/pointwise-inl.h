// SPDX-License-Identifier: Apache-2.0
// The body of pointwise.h, written once over the vector type.
#pragma once

#include "kernels/pointwise/pointwise.h"

namespace {

inline F32 gelu(F32 x) {
    const F32 half = F32::set(0.5f) * x;
    return fma(half, erf(x * F32::set(0.707106781f)), half);
}

template <bool kGelu>
inline void pointwise_rows(const attn4j::Pointwise& w) {
    for (int64_t row = 0; row < w.rows; ++row) {
        const float* x = w.x + row * w.x_stride;
        const float* residual = w.residual == nullptr ? nullptr : w.residual + row * w.residual_stride;
        float* out = w.out + row * w.out_stride;
        for (int64_t c = 0; c < w.width; c += F32::lanes) {
            const int64_t n = w.width - c < F32::lanes ? w.width - c : F32::lanes;
            const bool whole = n == F32::lanes;
            F32 y = whole ? F32::load(x + c) : F32::load_first(x + c, n);
            if (w.bias != nullptr) y = y + (whole ? F32::load(w.bias + c) : F32::load_first(w.bias + c, n));
            if (kGelu) y = gelu(y);
            if (residual != nullptr) y = y + (whole ? F32::load(residual + c) : F32::load_first(residual + c, n));
            if (whole) {
                y.store(out + c);
            } else {
                y.store_first(out + c, n);
            }
        }
    }
}

inline void pointwise(const attn4j::Pointwise& w) { w.gelu ? pointwise_rows<true>(w) : pointwise_rows<false>(w); }

}  // namespace
