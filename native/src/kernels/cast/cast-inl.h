// SPDX-License-Identifier: Apache-2.0
// The body of cast.h, written once over the vector type.
#pragma once

#include "kernels/elements-inl.h"
#include "kernels/cast/cast.h"

namespace {

inline void cast(const attn4j::Cast& w) {
    for (int64_t row = 0; row < w.rows; ++row)
        for (int64_t c = 0; c < w.width; c += F32::lanes) {
            const int64_t n = w.width - c < F32::lanes ? w.width - c : F32::lanes;
            store_elements(w.out_type, load_elements(w.x_type, w.x, row * w.x_stride + c, n), w.out,
                           row * w.out_stride + c, n);
        }
}

}  // namespace
