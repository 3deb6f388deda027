// SPDX-License-Identifier: Apache-2.0
// A token drawn by a row of logits (top-p: arXiv:1904.09751). Tokens come in the order of falling logits, equal ones in
// their own. With weight_i = exp((logit_i - largest) / temperature):
//     kept  = the first top_k, and of these the least first whose weights come to top_p of their sum, one at least
//     token = the least of kept at which the sum of weights of kept up to it exceeds u times that of all kept
// u in [0, 1) has 53 bits of Philox4x32-10 with key = seed, counter = (step, row, 1); dropout has 0 for the 1.
// Weights have the error of exp2 in float32, sums are double. No sorting: the last kept logit is found by its bits,
// eight at a time.
#pragma once

#include <cstdint>

namespace attn4j {

struct Sample {
    const float* logits;  // [count]; none NaN or inf, one finite at least
    float* weights;       // [count], of no meaning before and after
    int64_t count;
    float largest;  // of the logits
    double temperature, top_p;
    int64_t top_k;  // 1 to count
    uint64_t seed, step;
    uint32_t row;
};

struct SampleKernel {
    // The first of the largest of n >= 1 numbers; -1 - i if number i is the first that is NaN or inf.
    int64_t (*largest)(const float* logits, int64_t n);
    int64_t (*draw)(const Sample& work);
};

}  // namespace attn4j
