// SPDX-License-Identifier: Apache-2.0
// What is done to a matrix element by element, in one pass: the end of a linear layer, an activation, a residual.
//     out[r][c] = activation(x[r][c] + bias[c]) + residual[r][c]
// GELU: x/2 (1 + erf(x / sqrt 2)), arXiv:1606.08415, absolute error below 4e-7 max(1, |x|).
#pragma once

#include <cstdint>

namespace attn4j {

struct Pointwise {
    const float* x;         // [rows, width], row stride x_stride
    const float* bias;      // [width], or null
    const float* residual;  // [rows, width], row stride residual_stride, or null
    float* out;             // [rows, width], row stride out_stride; may be x or residual
    int64_t x_stride, residual_stride, out_stride, rows, width;
    bool gelu;
};

using PointwiseKernel = void (*)(const Pointwise& work);

}  // namespace attn4j
