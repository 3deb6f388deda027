// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding, arXiv:2104.09864: pairs of a row's numbers are turned by angles that grow with its
// position.
//     out_a = x_a cos[p][d] - x_b sin[p][d]        out_b = x_b cos[p][d] + x_a sin[p][d]        for d < rotary_dim / 2
//     (a, b) = (d, d + rotary_dim / 2), or interleaved (2d, 2d + 1); numbers from rotary_dim on stay
// Each product and each sum is rounded to float32 once, so every ISA gives the same bits. Where x and out differ in
// type, numbers are rounded as cast.h does.
#pragma once

#include <cstdint>

#include "kernels/element.h"

namespace attn4j {

struct Rotary {
    const void* x;  // [heads, rows, head_dim]
    void* out;      // [heads, rows, head_dim]; may be x with the same strides and type
    Element x_type, out_type;
    int64_t x_head_stride, x_row_stride, out_head_stride, out_row_stride;
    const float *cos, *sin;    // [positions, rotary_dim / 2], row stride table_stride
    const int64_t* positions;  // [rows], or null: first_position, first_position + 1, ...
    int64_t table_stride, first_position, heads, rows, head_dim;
    int64_t rotary_dim;  // 0 to turn nothing
    bool interleaved;
};

using RotaryKernel = void (*)(const Rotary& work);

}  // namespace attn4j
