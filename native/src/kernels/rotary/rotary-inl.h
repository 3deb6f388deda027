// SPDX-License-Identifier: Apache-2.0
// The body of rotary.h, written once over the vector type.
#pragma once

#include "kernels/elements-inl.h"
#include "kernels/rotary/rotary.h"

namespace {

// (a, b) turned by the n angles at `cos` and `sin`.
inline void turn(F32& a, F32& b, const float* cos, const float* sin, int64_t n) {
    const F32 c = load_some(cos, n), s = load_some(sin, n), turned = a * c - b * s;
    b = b * c + a * s;
    a = turned;
}

inline void rotate_halves(const attn4j::Rotary& w, int64_t x, int64_t out, const float* cos, const float* sin) {
    const int64_t half = w.rotary_dim / 2;
    for (int64_t d = 0; d < half; d += F32::lanes) {
        const int64_t n = half - d < F32::lanes ? half - d : F32::lanes;
        F32 a = load_elements(w.x_type, w.x, x + d, n), b = load_elements(w.x_type, w.x, x + half + d, n);
        turn(a, b, cos + d, sin + d, n);
        store_elements(w.out_type, a, w.out, out + d, n);
        store_elements(w.out_type, b, w.out, out + half + d, n);
    }
}

inline void rotate_pairs(const attn4j::Rotary& w, int64_t x, int64_t out, const float* cos, const float* sin) {
    constexpr int64_t lanes = F32::lanes;
    const int64_t half = w.rotary_dim / 2;
    for (int64_t d = 0; d < half; d += lanes) {
        const int64_t n = half - d < lanes ? half - d : lanes;
        const int64_t first = 2 * n < lanes ? 2 * n : lanes, second = 2 * n - first;
        F32 a = load_elements(w.x_type, w.x, x + 2 * d, first);
        F32 b = second == 0 ? F32::zero() : load_elements(w.x_type, w.x, x + 2 * d + lanes, second);
        unzip(a, b);
        turn(a, b, cos + d, sin + d, n);
        zip(a, b);
        store_elements(w.out_type, a, w.out, out + 2 * d, first);
        if (second != 0) store_elements(w.out_type, b, w.out, out + 2 * d + lanes, second);
    }
}

// A row: x and out in elements from w.x and w.out.
inline void rotate_row(const attn4j::Rotary& w, int64_t row, int64_t x, int64_t out) {
    if (w.rotary_dim > 0) {
        const int64_t position = w.positions == nullptr ? w.first_position + row : w.positions[row];
        const float *cos = w.cos + position * w.table_stride, *sin = w.sin + position * w.table_stride;
        w.interleaved ? rotate_pairs(w, x, out, cos, sin) : rotate_halves(w, x, out, cos, sin);
    }
    const int64_t rest = w.head_dim - w.rotary_dim, bytes = attn4j::bytes_of(w.x_type);
    x += w.rotary_dim;
    out += w.rotary_dim;
    if (rest == 0 || w.x == w.out) return;
    if (w.x_type == w.out_type) {
        __builtin_memcpy(static_cast<char*>(w.out) + out * bytes, static_cast<const char*>(w.x) + x * bytes,
                         static_cast<size_t>(rest * bytes));
        return;
    }
    for (int64_t d = 0; d < rest; d += F32::lanes) {
        const int64_t n = rest - d < F32::lanes ? rest - d : F32::lanes;
        store_elements(w.out_type, load_elements(w.x_type, w.x, x + d, n), w.out, out + d, n);
    }
}

inline void rotary(const attn4j::Rotary& w) {
    for (int64_t row = 0; row < w.rows; ++row)
        for (int64_t head = 0; head < w.heads; ++head)
            rotate_row(w, row, head * w.x_head_stride + row * w.x_row_stride,
                       head * w.out_head_stride + row * w.out_row_stride);
}

}  // namespace
