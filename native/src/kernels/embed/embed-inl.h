// SPDX-License-Identifier: Apache-2.0
// The body of embed.h, written once over the vector type.
#pragma once

#include "kernels/embed/embed.h"

namespace {

inline void embed(const attn4j::Embed& w) {
    for (int64_t row = 0; row < w.rows; ++row) {
        const float* from = w.table + w.ids[row] * w.table_stride;
        float* out = w.out + row * w.out_stride;
        for (int64_t c = 0; c < w.width; c += F32::lanes) {
            const int64_t n = w.width - c < F32::lanes ? w.width - c : F32::lanes;
            const F32 x = F32::load_first(from + c, n);
            (w.accumulate ? x + F32::load_first(out + c, n) : x).store_first(out + c, n);
        }
    }
}

}  // namespace
