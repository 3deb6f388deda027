// SPDX-License-Identifier: Apache-2.0
// Rows of a table by number: out[r] = table[ids[r]], or out[r] += table[ids[r]]. The numbers have been checked.
#pragma once

#include <cstdint>

namespace attn4j {

struct Embed {
    const float* table;  // [any, width], row stride table_stride
    const int32_t* ids;  // [rows]
    float* out;          // [rows, width], row stride out_stride; aliases nothing
    int64_t table_stride, out_stride, rows, width;
    bool accumulate;
};

using EmbedKernel = void (*)(const Embed& work);

}  // namespace attn4j
