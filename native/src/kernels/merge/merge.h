// SPDX-License-Identifier: Apache-2.0
// Attention over disjoint sets of keys, put together from the result over each. For every row, with partials p:
//     lse = log(exp(sink) + sum_p exp(lse_p))        out = sum_p exp(lse_p - lse) out_p
// Error of out, lse_p taken as exact: below (count + 6) 2^-22 times the row's largest |out_p|; of lse: below 4e-7
// max(1, |lse|). A partial of lse_p = -inf is not looked at; where there is nothing else, out = 0 and lse = -inf. Rule:
// arXiv:2205.14135, 3.1.
#pragma once

#include <cstdint>

namespace attn4j {

struct Merge {
    const float* const* outs;    // count of [any, width], row strides out_strides
    const int64_t* out_strides;  // [count]
    const float* const* lses;    // count of [any]
    const float* sinks;          // [heads], or null; that of a row is sinks[row / queries % heads]
    float* out;                  // [any, width], row stride out_stride; may be outs[0], aliases nothing else
    float* lse;                  // [any]; may be lses[0], aliases nothing else; or null
    int64_t out_stride, count, width, heads, queries;
    int64_t first_row, rows;  // those to be merged
};

using MergeKernel = void (*)(const Merge& work);

}  // namespace attn4j
