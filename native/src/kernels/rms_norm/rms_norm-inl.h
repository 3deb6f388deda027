// SPDX-License-Identifier: Apache-2.0
// The body of rms_norm.h, written once over the vector type: two passes over a row that stays in the first cache.
#pragma once

#include "kernels/rms_norm/rms_norm.h"
#include "kernels/squares-inl.h"

namespace {

inline void rms_norm(const attn4j::RmsNorm& w) {
    for (int64_t row = 0; row < w.rows; ++row) {
        const float* x = w.x + row * w.x_stride;
        float* out = w.out + row * w.out_stride;
        const F32 mean = F32::set(sum_of_squares(x, w.width) / static_cast<float>(w.width) + w.epsilon);
        const F32 inverse = F32::set(1.0f) / sqrt(mean);
        for (int64_t c = 0; c < w.width; c += F32::lanes) {
            const int64_t n = w.width - c < F32::lanes ? w.width - c : F32::lanes;
            (F32::load_first(x + c, n) * inverse * F32::load_first(w.gamma + c, n)).store_first(out + c, n);
        }
    }
}

}  // namespace
