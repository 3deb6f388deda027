// SPDX-License-Identifier: Apache-2.0
// A linear layer on a block of rows and a run of output features, with what follows it applied while it is in
// registers:
//     out[r][o] = activation(sum_i x[r][i] * weight(o, i) + bias[o]) + residual[r][o]
// Sums run over i in blocks, in ascending order, whatever the block of rows: a row's result depends on that row alone.
#pragma once

#include <cstdint>

namespace attn4j {

struct LinearBlock {
    const float* x;  // [rows, in_features], row stride x_stride
    const float*
        weight;  // out_in: [out_features, in_features], else [in_features, out_features]; row stride weight_stride
    const float* bias;      // [out_features], or null
    const float* residual;  // [rows, out_features], row stride residual_stride, or null
    float* out;             // [rows, out_features], row stride out_stride; aliases nothing
    int64_t x_stride, weight_stride, residual_stride, out_stride;
    int64_t rows;  // 1 to block_rows of the kernel; any number from `lanes` on where the weight is [in, out]
    int64_t in_features, out_features;
    bool out_in, gelu;
    float* workspace;  // workspace_floats(...) floats, aligned to 64 bytes, contents of no meaning
};

struct LinearKernel {
    int64_t lanes;       // rows of one vector
    int64_t block_rows;  // most rows of a block, with a weight [out, in]
    int64_t chunk;       // of more inputs, with that weight, sums are kept for all features of a block
    int64_t (*workspace_floats)(bool out_in, int64_t rows, int64_t in_features, int64_t out_features);
    void (*run)(const LinearBlock& block);
};

}  // namespace attn4j
