// SPDX-License-Identifier: Apache-2.0
// The baseline that fused attention is measured against: scores by OpenBLAS, softmax over each stored row, the sum of
// values by OpenBLAS. Heads are shared out over threads, and the scores of all of them are stored.
#pragma once

#include <cstdint>
#include <vector>

// The first `seen` of `keys` scores, times scale, become weights, the others 0.
void softmax(float* row, int64_t seen, int64_t keys, float scale);

struct UnfusedAttention {
    int64_t batch, heads, kv_heads, queries, keys, head_dim, value_dim;
    bool causal;  // the last query stands at the last key
    int threads;
    std::vector<float> scores;  // [batch * heads, queries, keys]

    // q [batch, heads, queries, head_dim], k [batch, kv_heads, keys, head_dim], v likewise of value_dim, contiguous.
    void run(const float* q, const float* k, const float* v, float* out);
};
