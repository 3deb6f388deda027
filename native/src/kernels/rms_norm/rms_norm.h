// SPDX-License-Identifier: Apache-2.0
// Root mean square normalisation of each row, arXiv:1910.07467:
//     out[c] = x[c] / sqrt(mean of x^2 + epsilon) * gamma[c]
#pragma once

#include <cstdint>

namespace attn4j {

struct RmsNorm {
    const float* x;      // [rows, width], row stride x_stride
    const float* gamma;  // [width]
    float* out;          // [rows, width], row stride out_stride; may be x
    int64_t x_stride, out_stride, rows, width;
    float epsilon;
};

using RmsNormKernel = void (*)(const RmsNorm& work);

}  // namespace attn4j
