// SPDX-License-Identifier: Apache-2.0
// The body of layer_norm.h, written once over the vector type: three passes over a row that stays in the first cache.
#pragma once

#include "kernels/layer_norm/layer_norm.h"

namespace {

inline void layer_norm(const attn4j::LayerNorm& w) {
    constexpr int64_t lanes = F32::lanes;
    const int64_t whole = w.width / lanes * lanes, rest = w.width - whole;
    for (int64_t row = 0; row < w.rows; ++row) {
        const float* x = w.x + row * w.x_stride;
        const float* residual = w.residual == nullptr ? nullptr : w.residual + row * w.residual_stride;
        float* out = w.out + row * w.out_stride;

        F32 total = F32::zero();
        for (int64_t c = 0; c < whole; c += lanes) {
            F32 y = F32::load(x + c);
            if (residual != nullptr) y = y + F32::load(residual + c);
            y.store(out + c);
            total = total + y;
        }
        if (rest > 0) {
            F32 y = F32::load_first(x + whole, rest);
            if (residual != nullptr) y = y + F32::load_first(residual + whole, rest);
            y.store_first(out + whole, rest);
            total = total + y;
        }
        const F32 mean = F32::set(sum(total) / static_cast<float>(w.width));

        F32 squares = F32::zero();
        for (int64_t c = 0; c < whole; c += lanes) {
            const F32 y = F32::load(out + c) - mean;
            squares = fma(y, y, squares);
        }
        if (rest > 0) {
            const F32 y = select(Mask::from(rest), F32::zero(), F32::load_first(out + whole, rest) - mean);
            squares = fma(y, y, squares);
        }
        const F32 variance = F32::set(sum(squares) / static_cast<float>(w.width) + w.epsilon);
        const F32 inverse = F32::set(1.0f) / sqrt(variance);

        for (int64_t c = 0; c < whole; c += lanes)
            fma((F32::load(out + c) - mean) * inverse, F32::load(w.gamma + c), F32::load(w.beta + c)).store(out + c);
        if (rest > 0)
            fma((F32::load_first(out + whole, rest) - mean) * inverse, F32::load_first(w.gamma + whole, rest),
                F32::load_first(w.beta + whole, rest))
                .store_first(out + whole, rest);
    }
}

}  // namespace
