// SPDX-License-Identifier: Apache-2.0
// The body of gate.h, written once over the vector type.
#pragma once

#include "kernels/gate/gate.h"

namespace {

inline F32 sigmoid(F32 x) {
    // exp(-|x|) is at most 1, and exact where it matters on either side of 0.
    const F32 e = exp2(abs(x) * F32::set(-1.44269504f)), one = F32::set(1.0f);
    return select(x < F32::zero(), e, one) / (one + e);
}

inline void gate(const attn4j::Gate& w) {
    for (int64_t row = 0; row < w.rows; ++row) {
        const float* x = w.x + row * w.x_stride;
        const float* g = w.gate + row * w.gate_stride;
        float* out = w.out + row * w.out_stride;
        const int64_t run = w.group == 1 ? w.width : w.group;
        for (int64_t begin = 0; begin < w.width; begin += run) {
            const F32 shared = w.group == 1 ? F32::zero() : sigmoid(F32::set(g[begin / run]));
            for (int64_t c = begin; c < begin + run; c += F32::lanes) {
                const int64_t n = begin + run - c < F32::lanes ? begin + run - c : F32::lanes;
                F32 factor = shared;
                if (w.group == 1) {
                    const F32 by = F32::load_first(g + c, n), open = sigmoid(by);
                    factor = w.silu ? by * open : open;
                }
                (F32::load_first(x + c, n) * factor).store_first(out + c, n);
            }
        }
    }
}

}  // namespace
