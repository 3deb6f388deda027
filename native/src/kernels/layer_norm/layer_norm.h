// SPDX-License-Identifier: Apache-2.0
// Layer normalisation of each row of y = x + residual, arXiv:1607.06450:
//     out[c] = (y[c] - mean) / sqrt(variance + epsilon) * gamma[c] + beta[c]      variance = mean of (y - mean)^2
#pragma once

#include <cstdint>

namespace attn4j {

struct LayerNorm {
    const float* x;         // [rows, width], row stride x_stride
    const float* residual;  // [rows, width], row stride residual_stride, or null
    const float* gamma;     // [width]
    const float* beta;      // [width]
    float* out;             // [rows, width], row stride out_stride; may be x or residual
    int64_t x_stride, residual_stride, out_stride, rows, width;
    float epsilon;
};

using LayerNormKernel = void (*)(const LayerNorm& work);

}  // namespace attn4j
