// SPDX-License-Identifier: Apache-2.0
// New rows of keys or values into a cache of 8-bit numbers with a scale a row, turned by their positions on the way:
//     y = rotary(x)      scale = max|y| / 127      q = y / scale, to the nearest integer, ties to even
// Every operation is one of float32, so every ISA gives the same bits. |q| <= 127, and |q * scale - y| <= scale / 2 but
// for rounding. Where max|y| / 127 < 2^-126, scale = 0 and q = 0. Where a number of y is NaN or infinite, scale = NaN
// and q = 0: the row reads as NaN, whatever it is multiplied by. (Caches of floating-point numbers: rotary.h.)
#pragma once

#include <cstdint>

#include "kernels/rotary/rotary.h"

namespace attn4j {

struct Append {
    Rotary turn;    // its out is int8_t [heads, rows, head_dim]
    float* scales;  // [heads, rows], row stride 1
    int64_t scales_head_stride;
    float* row;  // [head_dim], of no meaning before and after
};

using AppendKernel = void (*)(const Append& work);

}  // namespace attn4j
