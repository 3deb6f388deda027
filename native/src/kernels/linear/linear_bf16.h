// SPDX-License-Identifier: Apache-2.0
// linear.h with a weight of bfloat16, read as it lies, and x rounded to bfloat16:
//     out[r][o] = activation(sum_i bf16(x[r][i]) * weight[o][i] + bias[o]) + residual[r][o]
// Sums are float32 and run over i in blocks, in ascending order of blocks, whatever the block of rows: a row's result
// depends on that row alone. Within a block the order is the ISA's own, and one that multiplies bfloat16 treats
// subnormal numbers as 0. Error: that of float32 sums.
#pragma once

#include <cstdint>

#include "kernels/element.h"

namespace attn4j {

struct Bf16LinearBlock {
    const void* x;           // [rows, in_features] of x_type, f32 or bf16
    const uint16_t* weight;  // [out_features, in_features]
    const float* bias;       // [out_features], or null
    const float* residual;   // [rows, out_features], or null
    void* out;               // [rows, out_features] of out_type, f32 or bf16; aliases nothing
    int64_t x_stride, weight_stride, residual_stride, out_stride;  // of rows, in elements
    Element x_type, out_type;
    int64_t rows;  // 1 to block_rows of the kernel
    int64_t in_features, out_features;
    bool gelu;
    float* workspace;  // workspace_floats(...) floats, aligned to 64 bytes, contents of no meaning
};

struct Bf16LinearKernel {
    int64_t lanes;       // rows of one vector
    int64_t block_rows;  // most rows of a block
    int64_t few_rows;    // of fewer rows than this, blocks of few features cost nothing more
    int64_t (*workspace_floats)(int64_t rows, int64_t in_features, int64_t out_features);
    void (*run)(const Bf16LinearBlock& block);
};

}  // namespace attn4j
