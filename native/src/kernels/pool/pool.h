// SPDX-License-Identifier: Apache-2.0
// From token vectors to sentence vectors: the mean of a run of rows, and the division of rows by their length.
#pragma once

#include <cstdint>

namespace attn4j {

// out[c] = mean over rows of x[row][c]; 0 where rows = 0.
struct MeanPool {
    const float* x;  // [rows, width], row stride x_stride
    float* out;      // [width]; aliases nothing
    int64_t x_stride, rows, width;
};

// out[r][c] = x[r][c] / max(sqrt(sum_c x[r][c]^2), epsilon)
struct Normalize {
    const float* x;  // [rows, width], row stride x_stride
    float* out;      // [rows, width], row stride out_stride; may be x
    int64_t x_stride, out_stride, rows, width;
    float epsilon;
};

using MeanPoolKernel = void (*)(const MeanPool& work);
using NormalizeKernel = void (*)(const Normalize& work);

}  // namespace attn4j
