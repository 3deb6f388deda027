// SPDX-License-Identifier: Apache-2.0
// The body of append.h, written once over the vector type.
#pragma once

#include "kernels/append/append.h"
#include "kernels/rotary/rotary-inl.h"

namespace {

inline float scale_of(const float* x, int64_t n) {
    const F32 infinity = F32::set(__builtin_inff());
    F32 most = F32::zero();
    bool bad = false;
    for (int64_t i = 0; i < n; i += F32::lanes) {
        const F32 size = abs(load_some(x + i, n - i < F32::lanes ? n - i : F32::lanes));
        bad |= any(!(size < infinity));
        most = max(most, size);
    }
    if (bad) return __builtin_nanf("");
    float each[F32::lanes];
    most.store(each);
    for (int lane = 1; lane < F32::lanes; ++lane) each[0] = each[0] < each[lane] ? each[lane] : each[0];
    const float scale = each[0] / 127.0f;
    return scale < 0x1p-126f ? 0.0f : scale;
}

inline void quantize(const float* x, int64_t n, float scale, int8_t* q) {
    if (!(scale > 0)) {
        __builtin_memset(q, 0, static_cast<size_t>(n));
        return;
    }
    // Added to 3 * 2^22 a number below 2^22 is rounded to an integer, ties to even, which the lowest bits then hold.
    const F32 by = F32::set(scale), rounder = F32::set(12582912.0f);
    for (int64_t i = 0; i < n; i += F32::lanes) {
        const int64_t count = n - i < F32::lanes ? n - i : F32::lanes;
        uint32_t bits[F32::lanes];
        float rounded[F32::lanes];
        (load_some(x + i, count) / by + rounder).store(rounded);
        __builtin_memcpy(bits, rounded, sizeof bits);
        for (int64_t k = 0; k < count; ++k) q[i + k] = static_cast<int8_t>(bits[k] & 0xff);
    }
}

inline void append(const attn4j::Append& w) {
    attn4j::Rotary turn = w.turn;
    turn.out = w.row;
    turn.out_type = attn4j::Element::f32;
    for (int64_t row = 0; row < turn.rows; ++row)
        for (int64_t head = 0; head < turn.heads; ++head) {
            rotate_row(turn, row, head * turn.x_head_stride + row * turn.x_row_stride, 0);
            const float scale = scale_of(w.row, turn.head_dim);
            w.scales[head * w.scales_head_stride + row] = scale;
            quantize(w.row, turn.head_dim, scale,
                     static_cast<int8_t*>(w.turn.out) + head * turn.out_head_stride + row * turn.out_row_stride);
        }
}

}  // namespace
