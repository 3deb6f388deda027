// SPDX-License-Identifier: Apache-2.0
// From one way of storing numbers to another, through float32: rounded to the nearest, ties to even; too large becomes
// infinity, subnormals are kept, a NaN becomes a quiet one.
#pragma once

#include <cstdint>

#include "kernels/element.h"

namespace attn4j {

struct Cast {
    const void* x;  // [rows, width] of x_type, row stride x_stride
    void* out;      // [rows, width] of out_type, row stride out_stride; aliases nothing
    Element x_type, out_type;
    int64_t x_stride, out_stride, rows, width;
};

using CastKernel = void (*)(const Cast& work);

}  // namespace attn4j
