// SPDX-License-Identifier: Apache-2.0
// A sigmoid gate on the columns of each row, one number for each run of `group` columns (arXiv:2505.06708), or of each
// column by the gate times its sigmoid (SwiGLU, arXiv:2002.05202):
//     out[r][c] = x[r][c] * sigmoid(gate[r][c / group])      sigmoid(g) = 1 / (1 + exp(-g))
//     out[r][c] = x[r][c] * silu(gate[r][c])                 silu(g) = g * sigmoid(g)
// The sigmoid's absolute error is below 3e-7; it is exactly 0 at -infinity and 1 at infinity. silu(-infinity) is NaN,
// as 0 times infinity is.
#pragma once

#include <cstdint>

namespace attn4j {

struct Gate {
    const float* x;     // [rows, width], row stride x_stride
    const float* gate;  // [rows, width / group], row stride gate_stride
    float* out;         // [rows, width], row stride out_stride; may be x, and with a group of 1 the gate
    int64_t x_stride, gate_stride, out_stride, rows, width;
    int64_t group;  // divides width; 1 with silu
    bool silu;
};

using GateKernel = void (*)(const Gate& work);

}  // namespace attn4j
